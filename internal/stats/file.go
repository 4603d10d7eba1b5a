package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Write writes a file: JSON with a line a column, so that a change of one is a line
// of a diff.
func (f *File) Write(w io.Writer) error {
	f.Sort()
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d,\n  \"server\": %s,\n  \"values\": %v,\n  \"settings\": ", f.Version, line(f.Server), f.Values)
	settings, err := json.MarshalIndent(f.Settings, "  ", "  ")
	if err != nil {
		return err
	}
	b.Write(settings)
	if len(f.Hidden) > 0 {
		fmt.Fprintf(&b, ",\n  \"hidden\": %s", line(f.Hidden))
	}
	b.WriteString(",\n  \"tables\": [")
	for i := range f.Tables {
		t := &f.Tables[i]
		comma(&b, i)
		fmt.Fprintf(&b, "\n    {\"schema\": %s, \"name\": %s, \"rows\": %s, \"pages\": %d, \"visible\": %d,\n      \"columns\": [",
			line(t.Schema), line(t.Name), line(t.Rows), t.Pages, t.Visible)
		for k := range t.Columns {
			comma(&b, k)
			b.WriteString("\n        " + line(t.Columns[k]))
		}
		b.WriteString("],\n      \"indexes\": [")
		for k := range t.Indexes {
			comma(&b, k)
			b.WriteString("\n        " + line(t.Indexes[k]))
		}
		b.WriteString("]}")
	}
	b.WriteString("\n  ]\n}\n")
	_, err = w.Write(b.Bytes())
	return err
}

func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

// line is a value on one line; numbers and strings always have one.
func line(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// Read reads a file. An error says where it is: line and column.
func Read(text []byte) (*File, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var f File
	if err := dec.Decode(&f); err != nil {
		at := dec.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return nil, fmt.Errorf("line %d: not a statistics file of planvet: %w", 1+bytes.Count(text[:min(at, int64(len(text)))], []byte("\n")), err)
	}
	if f.Version != Version {
		return nil, fmt.Errorf("a statistics file of version %d: this planvet reads version %d; write it anew with planvet stats dump", f.Version, Version)
	}
	f.Sort()
	return &f, nil
}
