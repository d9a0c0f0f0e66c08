package feed

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// Limits of the texts that explain events. A flood of invented file names makes
// each of them a text of its own.
const (
	maxTexts = 1024 // different ones at a time; then both sides begin anew
	maxText  = 2048 // bytes of one
)

// scratch is the id of a text that is meant for the next event alone.
const scratch = 1

// Explained tells whether events of the kind come with words of the engine.
func Explained(k batch.EventKind) bool {
	switch k {
	case batch.EventNak, batch.EventSilence, batch.EventConflict, batch.EventAbandoned, batch.EventLog,
		batch.EventTransferError, batch.EventNotFound, batch.EventRefused, batch.EventFull, batch.EventRival:
		return true
	}
	return false
}

// textKey is what a text depends on: events that agree in it are explained in
// the same words.
type textKey struct {
	kind   batch.EventKind
	reason batch.Reason
	link   uint8
	rule   int32
	extra  uint32
	addr   proto.Addr
	hw     [16]byte
	name   [64]byte
}

// keyOf reduces an event to what its text depends on.
func keyOf(e *batch.Event) textKey {
	k := textKey{kind: e.Kind, reason: e.Reason, link: e.Link, rule: e.Rule}
	switch e.Kind {
	case batch.EventNotFound, batch.EventRefused:
		k.name, k.extra = e.Name, e.Extra
	case batch.EventTransferError, batch.EventFull:
		k.extra = e.Extra
	case batch.EventConflict, batch.EventAbandoned:
		k.addr, k.hw = e.Addr, e.HW
	case batch.EventNak, batch.EventSilence:
		switch e.Reason {
		case batch.ReasonDuplicateAddress, batch.ReasonNotOurAddress, batch.ReasonTaken:
			k.addr = e.Addr
		}
	}
	return k
}

// texts gives each text a number.
type texts struct {
	ids  map[textKey]uint32
	next uint32
}

// clear forgets all texts. The numbers begin anew: what the other side knows
// of them is overwritten before it is used again.
func (t *texts) clear() {
	if t.ids == nil || len(t.ids) > 0 {
		t.ids = make(map[textKey]uint32)
	}
	t.next = scratch + 1
}

// find returns the number of an event's text; fresh means that it has to be sent
// first.
func (t *texts) find(e *batch.Event) (id uint32, fresh bool) {
	if e.Kind == batch.EventLog {
		return scratch, true // as good as never the same twice
	}
	k := keyOf(e)
	if id, ok := t.ids[k]; ok {
		return id, false
	}
	if len(t.ids) >= maxTexts {
		t.clear()
	}
	id = t.next
	t.ids[k] = id
	t.next++
	return id, true
}

// forget takes back what find has just given.
func (t *texts) forget(e *batch.Event) {
	if e.Kind != batch.EventLog {
		delete(t.ids, keyOf(e))
	}
}
