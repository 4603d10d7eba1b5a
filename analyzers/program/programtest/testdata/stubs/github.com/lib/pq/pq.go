package pq

import "time"

type ListenerEventType int

type Listener struct{}

func (l *Listener) Listen(channel string) error { return nil }

func NewListener(name string, minReconnectInterval, maxReconnectInterval time.Duration, eventCallback func(ListenerEventType, error)) *Listener {
	return nil
}

func Array(a interface{}) interface{}    { return nil }
func QuoteIdentifier(name string) string { return "" }

func CopyIn(table string, columns ...string) string { return "" }
