package view

import (
	"encoding/json"
	"sync"
	"time"
)

// cache keeps the answers that are the same for everybody for a moment, so that
// many who look cost hardly more than one.
type cache struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	at   time.Time
	data []byte
}

// cacheTime is how old an answer may be; the engine reports once a second.
const cacheTime = 500 * time.Millisecond

// get returns the answer kept under key, made anew by f if it is old.
func (c *cache) get(now time.Time, key string, f func() any) []byte {
	c.mu.Lock()
	defer c.mu.Unlock() // who asks for the same waits for the one that makes it
	if k, ok := c.kept[key]; ok && now.Sub(k.at) < cacheTime && !now.Before(k.at) {
		return k.data
	}
	b, err := json.Marshal(f())
	if err != nil {
		b, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	if c.kept == nil {
		c.kept = map[string]kept{}
	}
	c.kept[key] = kept{now, b}
	return b
}

// summary is the summary as JSON.
func (c *cache) summary(h *Handler) []byte {
	now := h.now()
	return c.get(now, "summary", func() any { return h.book.Summary(now) })
}
