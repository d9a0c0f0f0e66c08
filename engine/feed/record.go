package feed

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// recordLen is the size of an event on the way: its fields in their order in
// batch.Event without gaps, then the id of a text, 0 for none.
const recordLen = 8 + 4 + 16 + 3*4 + 2*8 + 4 + 64 + 4

// putRecord writes an event and the id of its text.
func putRecord(b *[recordLen]byte, e *batch.Event, text uint32) {
	le := binary.LittleEndian
	le.PutUint64(b[0:], uint64(e.At))
	b[8], b[9], b[10], b[11] = byte(e.Kind), byte(e.Reason), e.Link, e.HWLen
	copy(b[12:28], e.HW[:])
	le.PutUint32(b[28:], uint32(e.Addr))
	le.PutUint32(b[32:], e.XID)
	le.PutUint32(b[36:], e.Extra)
	le.PutUint64(b[40:], uint64(e.Value))
	le.PutUint64(b[48:], uint64(e.Nanos))
	le.PutUint32(b[56:], uint32(e.Rule))
	copy(b[60:124], e.Name[:])
	le.PutUint32(b[124:], text)
}

// takeRecord reads what putRecord wrote.
func takeRecord(b *[recordLen]byte, e *batch.Event) (text uint32) {
	le := binary.LittleEndian
	e.At = int64(le.Uint64(b[0:]))
	e.Kind, e.Reason, e.Link, e.HWLen = batch.EventKind(b[8]), batch.Reason(b[9]), b[10], b[11]
	copy(e.HW[:], b[12:28])
	e.Addr = proto.Addr(le.Uint32(b[28:]))
	e.XID = le.Uint32(b[32:])
	e.Extra = le.Uint32(b[36:])
	e.Value = int64(le.Uint64(b[40:]))
	e.Nanos = int64(le.Uint64(b[48:]))
	e.Rule = int32(le.Uint32(b[56:]))
	copy(e.Name[:], b[60:124])
	return le.Uint32(b[124:])
}
