// Package token reads and makes the HS256 tokens that Supabase signs.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Claims is the signed part of a token, as row level security reads it.
type Claims struct {
	Subject     string      `json:"sub"`
	Role        string      `json:"role"`
	Expires     int64       `json:"exp"`
	AppMetadata AppMetadata `json:"app_metadata"`
}

// AppMetadata is what the server, never the user, writes about a user.
type AppMetadata struct {
	CasinoID string `json:"casino_id"`
}

// ErrInvalid is returned for a token that is not ours, or no longer valid.
var ErrInvalid = errors.New("invalid token")

const header = `{"alg":"HS256","typ":"JWT"}`

var encoding = base64.RawURLEncoding

// Sign makes a token of claims.
func Sign(claims Claims, secret []byte) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	unsigned := encoding.EncodeToString([]byte(header)) + "." + encoding.EncodeToString(payload)
	return unsigned + "." + encoding.EncodeToString(sum(unsigned, secret)), nil
}

// Verify returns the claims of a token that secret signed and that has not
// expired at now.
func Verify(token string, secret []byte, now time.Time) (Claims, error) {
	var claims Claims
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return claims, ErrInvalid
	}
	signature, err := encoding.DecodeString(token[dot+1:])
	if err != nil || !hmac.Equal(signature, sum(token[:dot], secret)) {
		return claims, ErrInvalid
	}
	_, payload, ok := strings.Cut(token[:dot], ".")
	if !ok {
		return claims, ErrInvalid
	}
	text, err := encoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return Claims{}, ErrInvalid
	}
	if claims.Expires <= now.Unix() {
		return Claims{}, ErrInvalid
	}
	return claims, nil
}

func sum(text string, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
