package dhcp

import "testing"

// discover is about what iPXE sends: thirteen options, 300 bytes.
func discover() []byte {
	return append(message(join([]byte{53, 1, 1, 57, 2, 5, 192, 93, 2, 0, 7, 94, 3, 1, 3, 10}, long(60, 32, 'P'),
		[]byte{77, 4, 'i', 'P', 'X', 'E', 55, 23}, make([]byte, 23), long(175, 45, 1), []byte{61, 7, 1, 0x52, 0x54, 0, 0x12, 0x34, 1},
		long(97, 17, 0), []byte{255})...), make([]byte, 60)...)
}

func BenchmarkParse(b *testing.B) {
	msg := discover()
	var o Options
	for b.Loop() {
		if !o.Parse(msg) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	buf := make([]byte, 548)
	value := make([]byte, 4)
	var w Writer
	for b.Loop() {
		w.Reset(buf)
		for code := range byte(12) {
			w.Option(code+1, value)
		}
		w.End()
	}
}
