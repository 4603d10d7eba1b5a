package api

import (
	"crypto/hmac"
	"net/http"
)

// isDevice says whether a request carries the key of the devices.
func (s *Server) isDevice(r *http.Request) bool {
	return hmac.Equal([]byte(r.Header.Get("X-Device-Key")), s.secret)
}
