package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	secret := []byte("a secret of some length")
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	claims := Claims{
		Subject: "8c4fd3f0-0000-4000-8000-000000000001", Role: "authenticated",
		Expires: now.Add(time.Hour).Unix(), AppMetadata: AppMetadata{CasinoID: "c1"},
	}
	signed, err := Sign(claims, secret)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(signed, ".")
	_, signature, _ := strings.Cut(rest, ".")

	for _, c := range []struct {
		name   string
		token  string
		secret string
		at     time.Time
		ok     bool
	}{
		{"ok_signed", signed, string(secret), now, true},
		{"err_expired", signed, string(secret), now.Add(time.Hour), false},
		{"err_other_secret", signed, "another", now, false},
		{"err_changed_payload", head + ".e30." + signature, string(secret), now, false},
		{"err_no_signature", head, string(secret), now, false},
		{"err_empty", "", string(secret), now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Verify(c.token, []byte(c.secret), c.at)
			if c.ok && (err != nil || got != claims) {
				t.Fatalf("got %+v, %v; want %+v", got, err, claims)
			}
			if !c.ok && !errors.Is(err, ErrInvalid) {
				t.Fatalf("got %+v, %v; want ErrInvalid", got, err)
			}
		})
	}
}
