// Package lease keeps the lease database: an append-only text journal in the
// format of dhcpd.leases(5), which dhcpd 4.4 and the tools around it read, and
// from which a database written by dhcpd 4.4 is taken over.
//
// An acknowledgement may leave only when its lease is on disk. The worker hands
// records to a Journal without waiting; one goroutine encodes what has
// gathered, writes it with one write, calls fdatasync once, and publishes the
// highest sequence number that is now durable. While a sync runs the next group
// gathers, so a storm costs some hundred syncs and not one per lease.
//
// # When the disk fails
//
// No record counts as durable that is not found, synced, under the journal's
// name. What happens meanwhile: offers, boot files and renewals that need no
// record go on; what needs one waits in memory, up to the queue's size, and is
// neither acknowledged nor refused.
//
//	full, read-only      written again until it works, at growing intervals of
//	                     at most 1 s; a torn write is cut off first
//	slow                 records gather into larger groups
//	failing fsync        the kernel may have dropped the pages and not say so
//	                     again, so the file is given up for a fresh one
//	deleted, replaced,   noticed after each sync, and within a second when idle;
//	edited underneath    written anew, what was found is kept (".replaced")
//
// The first failure and the recovery are told by a Notice; no restart is needed.
//
// Vocabulary: an item is one declaration at the top level of the file; a record
// is an item "lease ADDRESS { … }"; foreign items are those that mean nothing
// here (host, class, failover peer, server-duid …) and are carried along
// unchanged. A later record for an address replaces an earlier one.
package lease

import (
	"fmt"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/reason"
	"bootstorm/proto"
)

// Warning is one thing that reading a lease file turned up.
type Warning struct {
	Line int    // from 1
	Torn bool   // the end of the file was cut off, as by a crash in mid-write
	Text string // what was found and what became of it
}

// String returns the warning with its line.
func (w Warning) String() string { return fmt.Sprintf("line %d: %s", w.Line, w.Text) }

// Recovered is what a lease file holds. When it comes from Open, its Leases are the
// journal's from the first Append on.
type Recovered struct {
	Leases   []batch.Lease // the record in force of each address, by address; Seq is 0
	Warnings []Warning     // in the order of the file
	More     int           // warnings beyond the first 50, not kept
	Records  int           // records read, including those replaced later
	Bytes    int64         // size of the file
	GoodEnd  int64         // offset behind the last whole item
	Damaged  bool          // something before GoodEnd could not be read

	foreign  [][]byte         // text of the foreign items, in order
	extras   map[int32][]byte // further statements, by index into Leases
	sizes    []int32          // bytes of each record of Leases as text
	index    map[proto.Addr]int32
	items    int
	openLine bool // the last good byte is no line end
}

// Read reads the lease file at path without locking or changing it. A file that
// a daemon is appending to may end in half a record: see Warning.Torn.
func Read(path string) (*Recovered, error) { return read(systemFS{}, path, Options{}) }

// read parses the file at path and refuses one that is no lease file at all,
// so that a mistyped path is never overwritten.
func read(fsys FS, path string, o Options) (*Recovered, error) {
	text, err := fsys.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("lease file %s: %w", path, reason.Of(err))
	}
	r := parse(text, o.wall())
	if r.items == 0 && len(r.Warnings) > 0 && !looksTorn(text) {
		first := strings.TrimPrefix(r.Warnings[0].Text, tornPrefix)
		return nil, fmt.Errorf("lease file %s: %s; not one lease could be read, so this does not look like "+
			"a dhcpd.leases(5) file and is left alone: give another path, or move the file away", path, first)
	}
	return r, nil
}
