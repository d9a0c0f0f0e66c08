package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// What a frame costs does not depend on how many hosts are declared, also if it
// pretends to be of one that has two links. The bound is wide: a search through all
// of them took 100 times as long.
func TestWorkPerFrameDoesNotGrowWithHosts(t *testing.T) {
	cost := func(hosts int) time.Duration {
		var conf strings.Builder
		conf.WriteString(plain)
		for i := range hosts {
			fmt.Fprintf(&conf, "host n%d { hardware ethernet 02:01:00:%02x:%02x:01; hardware ethernet 02:01:00:%02x:%02x:02; }\n", i, i>>8, i&255, i>>8, i&255)
		}
		config := smallConfig(buildPlan(t, conf.String()))
		config.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "f", Data: make([]byte, 2000)}})
		w := worldOf(t, config)
		a := w.lease(msg{kind: dhcp.Discover, mac: proto.MAC{2, 1, 0, 0, 0, 1}})
		frames := [][]byte{tftpFrame(a, mac(9), 2000, askFor), arpFrame(a, mac(9)), machine(9).frame(), machine(8).of(dhcp.Request).asking(a).frame()}
		best := time.Duration(1 << 62)
		for range 5 { // the machine may be busy: the best counts
			begin := time.Now()
			for range 500 {
				for _, f := range frames {
					w.now.Mono += 1 << 20
					w.tell(f)
					w.core.Leases().N = 0
				}
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	few, many := cost(10), cost(10_000)
	t.Logf("2,000 frames: %v with 10 hosts, %v with 10,000", few, many)
	if many > 10*few {
		t.Errorf("2,000 frames take %v with 10 hosts, and %v with 10,000", few, many)
	}
}
