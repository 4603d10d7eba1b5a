package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// maxMessage bounds a message: no document that is judged is larger.
const maxMessage = 64 << 20

// stream frames messages as the protocol's base does. What is no message is answered
// with an error, and what follows is read: a client's slip must not end the session.
type stream struct {
	in     *bufio.Reader
	closer io.Closer

	mu  sync.Mutex
	out io.Writer
}

func newStream(in io.ReadCloser, out io.Writer) *stream {
	return &stream{in: bufio.NewReader(in), closer: in, out: out}
}

// ReadObject implements jsonrpc2.ObjectStream.
func (s *stream) ReadObject(v any) error {
	for {
		body, err := s.body()
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, v); err == nil {
			return nil
		} else if err := s.refuse(body, err); err != nil {
			return err
		}
	}
}

// body is the next message's. Lines that are no header are passed over, so that a
// reader that lost its place finds the next message.
func (s *stream) body() ([]byte, error) {
	length := -1
	for {
		line, err := s.in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			line = nil
			_, err = s.in.ReadSlice('\n')
		}
		if err != nil {
			return nil, err
		}
		text := strings.TrimSpace(string(line))
		if text == "" && length >= 0 {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length < 0 {
				length = -1
			}
		}
	}
	if length > maxMessage {
		if _, err := io.CopyN(io.Discard, s.in, int64(length)); err != nil {
			return nil, err
		}
		return nil, nil
	}
	body := make([]byte, length)
	_, err := io.ReadFull(s.in, body)
	return body, err
}

// refuse answers what cannot be read: with the request's id where it has one.
func (s *stream) refuse(body []byte, cause error) error {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method *string         `json:"method"`
	}
	code := codeInvalidRequest
	if err := json.Unmarshal(body, &m); err != nil {
		if code = codeParseError; json.Valid(body) {
			code = codeInvalidRequest
		}
	} else if m.Method != nil && m.ID == nil {
		return nil // a notification is never answered
	}
	if m.ID == nil {
		m.ID = json.RawMessage("null")
	}
	return s.WriteObject(map[string]any{
		"jsonrpc": "2.0", "id": m.ID, "error": map[string]any{"code": code, "message": "this is no message: " + cause.Error()},
	})
}

// WriteObject implements jsonrpc2.ObjectStream.
func (s *stream) WriteObject(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.out.Write(append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(body)), body...))
	return err
}

// Close implements jsonrpc2.ObjectStream.
func (s *stream) Close() error { return s.closer.Close() }
