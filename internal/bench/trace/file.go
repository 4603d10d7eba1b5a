package trace

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
)

// WriteFile writes a run to a file, compressed where its name ends in .gz. The file is
// there whole or as it was.
func WriteFile(name string, h Header, epochs []gate.Epoch) (err error) {
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err == nil {
			err = os.Rename(file.Name(), name)
		}
	}()
	w := bufio.NewWriter(file)
	var out io.Writer = w
	var z *gzip.Writer
	if strings.HasSuffix(name, ".gz") {
		if z, err = gzip.NewWriterLevel(w, gzip.BestCompression); err != nil {
			return err
		}
		out = z
	}
	if err := Write(out, h, epochs); err != nil {
		return err
	}
	if z != nil {
		if err := z.Close(); err != nil {
			return err
		}
	}
	return w.Flush()
}

// ReadFile reads what WriteFile wrote.
func ReadFile(name string) (Header, []gate.Epoch, error) {
	file, err := os.Open(name)
	if err != nil {
		return Header{}, nil, err
	}
	defer file.Close()
	if !strings.HasSuffix(name, ".gz") {
		return Read(file)
	}
	z, err := gzip.NewReader(file)
	if err != nil {
		return Header{}, nil, err
	}
	return Read(z)
}
