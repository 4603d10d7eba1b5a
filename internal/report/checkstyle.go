package report

import (
	"encoding/xml"
	"io"
)

type checkstyleReport struct {
	XMLName xml.Name         `xml:"checkstyle"`
	Version string           `xml:"version,attr"`
	Files   []checkstyleFile `xml:"file"`
}

type checkstyleFile struct {
	Name   string            `xml:"name,attr"`
	Errors []checkstyleError `xml:"error"`
}

type checkstyleError struct {
	Line     int    `xml:"line,attr"`
	Column   int    `xml:"column,attr,omitempty"`
	Severity string `xml:"severity,attr"`
	Message  string `xml:"message,attr"`
	Source   string `xml:"source,attr"`
}

// writeCheckstyle writes Checkstyle's XML: findings by file, as they are sorted.
func writeCheckstyle(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	at := placesOf(d, o.Repository, inBytes)
	out := checkstyleReport{Version: "4.3"} // of the format; readers look for some version
	for _, f := range standing(d) {
		l := at.of(f.Location)
		name := Printable(l.Path)
		if n := len(out.Files); n == 0 || out.Files[n-1].Name != name {
			out.Files = append(out.Files, checkstyleFile{Name: name})
		}
		last := &out.Files[len(out.Files)-1]
		last.Errors = append(last.Errors, checkstyleError{l.Line, l.Column, string(f.Severity), says(f), "planvet." + Printable(f.Rule)})
	}
	return "", writeXML(w, out)
}

// writeXML writes a document with its declaration. What XML cannot hold becomes
// U+FFFD, which the encoder sees to.
func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
