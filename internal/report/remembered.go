package report

// Remembered is what a memory holds on the same shape, or the same rule.
type Remembered struct {
	// Entry is the memory's, Text one line.
	Entry string `json:"entry"`
	Text  string `json:"text"`
}
