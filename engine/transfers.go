package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"bootstorm/engine/core/transfer"
)

// A server that ends in an orderly way, as at an upgrade, leaves the transfers that
// are in the middle of a file beside the leases, and the next one goes on with
// them. Where that does not work out the clients are as after a crash: they ask again
// or start their boot anew.

// keptMost is the age beyond which what was kept is of no use: every client has given
// up by then.
const keptMost = 30 * time.Second

// keptTransfers is what stands in the file.
type keptTransfers struct {
	At         time.Time    `json:"at"`
	Interfaces []string     `json:"interfaces"` // what the links are called
	Workers    [][]keptFile `json:"workers"`    // by worker: clients come to the same one again
}

// keptFile is one transfer in it.
type keptFile = transfer.Kept

// transfersFile is where they are.
func transfersFile(leases string) string { return leases + ".transfers" }

// keepTransfers leaves the transfers for the next server. The workers have returned.
func (s *server) keepTransfers() {
	k := keptTransfers{At: time.Now()}
	for _, l := range s.links {
		k.Interfaces = append(k.Interfaces, l.Name)
	}
	n, active := 0, 0
	for _, w := range s.workers {
		list := w.core.Transfers().Keep(w.now().Mono)
		k.Workers = append(k.Workers, list)
		n += len(list)
		active += w.core.Transfers().Active()
	}
	if active == 0 {
		return
	}
	b, err := json.Marshal(&k)
	if err == nil && n > 0 { // a restart of the machine ends them all: it need not be on the disk
		err = os.WriteFile(transfersFile(s.LeaseFile), b, 0o600)
	}
	if err != nil {
		s.log.Warn(fmt.Sprintf("%s in the middle of a file cannot go on after a restart, their nodes begin anew: %v", plural(n, "transfer"), err))
		return
	}
	s.log.Info(fmt.Sprintf("transfers: %d of %d are kept for the next server", n, active))
}

// resumeTransfers goes on with what the last server has kept. The workers do not run
// yet.
func (s *server) resumeTransfers() {
	file := transfersFile(s.LeaseFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	err = errors.Join(err, os.Remove(file)) // once: a crash later is not to find it
	var k keptTransfers
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err != nil {
		s.log.Warn(fmt.Sprintf("transfers of before the restart do not go on, their nodes begin anew: %s: %v", file, err))
		return
	}
	if age := time.Since(k.At); age < 0 || age > keptMost || len(k.Workers) != len(s.workers) {
		return
	}
	link := map[string]uint8{}
	for i, l := range s.links {
		link[l.Name] = uint8(i)
	}
	all, resumed := 0, 0
	for i, w := range s.workers {
		for j := range k.Workers[i] {
			t := &k.Workers[i][j]
			all++
			if int(t.Link) >= len(k.Interfaces) {
				continue
			}
			var ok bool
			if t.Link, ok = link[k.Interfaces[t.Link]]; ok && w.core.Transfers().Resume(w.now().Mono, t) {
				resumed++
			}
		}
	}
	s.log.Info(fmt.Sprintf("transfers: %d of %d go on from before the restart", resumed, all))
}
