package view_test

import (
	"net/http"
	"testing"

	"bootstorm/engine/feed"
)

// The frames of a node come in words, the newest last, runs of DATA as one.
func TestFrames(t *testing.T) {
	r := newRig(t)
	list := get[[]struct {
		Sent                                      bool
		Length, Run, Bytes                        int
		Interface, Protocol, What, From, To, Text string
		Fields                                    []struct{ Code, Name, Value string }
	}](r, "/api/nodes/rack02-node02/frames")
	if len(list) != 12 || list[0].What != "DISCOVER" || list[0].Sent || list[0].Interface != "bond0" || list[1].What != "OFFER" || !list[1].Sent {
		t.Fatalf("%+v", list)
	}
	if last := list[11]; last.Run != 4 || last.Bytes != 4*1468 || last.Length != 46+1468-4+4 || last.Text != "block 9, 1468 bytes and the 3 after it, 5872 bytes in all" {
		t.Errorf("a run: %+v", last)
	}
	if rrq := list[4]; rrq.Text != `"ipxe.efi" with tsize 0, blksize 1468, windowsize 4` || rrq.From != "10.20.0.42:1532" || len(rrq.Fields) < 6 {
		t.Errorf("an RRQ: %+v", rrq)
	}
	r.refused(r.ask("GET", "/api/nodes/nobody/frames", ""), http.StatusNotFound, "check its link")
}

// What is ordered is listed; what was carried out only for who asks for it.
func TestBootsTellWhatWasTaken(t *testing.T) {
	r := newRig(t)
	if err := r.engine.Boot("52:54:00:00:00:29", "rescue.ipxe", true); err != nil {
		t.Fatal(err)
	}
	r.engine.Take("52:54:00:00:00:29")
	if err := r.engine.Boot("52:54:00:00:00:2a", "test.efi", true); err != nil {
		t.Fatal(err)
	}
	if list := get[[]feed.Order](r, "/api/boots"); len(list) != 1 || list[0].File != "test.efi" || !list[0].Taken.IsZero() {
		t.Errorf("%+v", list)
	}
	if list := get[[]feed.Order](r, "/api/boots?taken=1"); len(list) != 2 || list[0].File != "rescue.ipxe" || list[0].Taken.IsZero() {
		t.Errorf("%+v", list)
	}
}

// Options are read by the definitions of the configuration that is in force, those
// of the one before are gone.
func TestFramesByTheConfiguration(t *testing.T) {
	r := newRig(t)
	option := func() (name, value string) {
		list := get[[]struct {
			Fields []struct{ Code, Name, Value string }
		}](r, "/api/nodes/rack02-node02/frames")
		for _, f := range list[0].Fields {
			if f.Code == "94" {
				return f.Name, f.Value
			}
		}
		t.Fatalf("no option 94 in %+v", list[0])
		return "", ""
	}
	before, _ := option()
	r.handler.Define("option site-undi code 94 = array of unsigned integer 8;")
	if name, value := option(); name != "site-undi" || value != "1, 3, 16" {
		t.Errorf("%s %s", name, value)
	}
	r.handler.Define("")
	if name, _ := option(); name != before || name == "site-undi" {
		t.Errorf("after a reload without it: %s, before %s", name, before)
	}
}
