package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// client is a program that runs on a node.
type client uint8

const (
	edk2 client = iota
	ipxe
	linux
	rom    // the PXE ROM of a BIOS network card
	uboot  // U-Boot, its classic network stack
	grub   // GRUB, loaded by edk2
	loader // a loader with the window of RFC 7440, in order, as they are to come
	clients
)

// firmwares are the clients that a node may begin with, by the names that
// ParseMix reads. A node of grub begins with edk2, which loads it.
var firmwares = []struct {
	name string
	who  client
}{{"edk2", edk2}, {"rom", rom}, {"grub", grub}, {"uboot", uboot}}

// Mix shares out the nodes to kinds of clients. The zero Mix is edk2 alone.
type Mix struct {
	cycle []client // nodes take them in turn
}

// mostShares keeps a cycle small.
const mostShares = 10000

// ParseMix reads names and shares, as "edk2=70,rom=20,grub=10"; without a
// number a share is 1.
func ParseMix(text string) (Mix, error) {
	var shares [clients]int
	for _, part := range strings.Split(text, ",") {
		name, number, found := strings.Cut(part, "=")
		share := 1
		if found {
			var err error
			if share, err = strconv.Atoi(number); err != nil || share < 0 || share > mostShares {
				return Mix{}, fmt.Errorf("%q: a share is a number from 0 to %d", part, mostShares)
			}
		}
		who, err := parseFirmware(name)
		if err != nil {
			return Mix{}, err
		}
		shares[who] = share
	}
	return mixOf(shares)
}

func parseFirmware(name string) (client, error) {
	var names []string
	for _, f := range firmwares {
		if f.name == name {
			return f.who, nil
		}
		names = append(names, f.name)
	}
	return 0, fmt.Errorf("no client is called %q; there are %v", name, names)
}

// mixOf spreads the shares evenly over the cycle, so that few nodes are mixed
// as well: the next is always whoever is furthest behind its share.
func mixOf(shares [clients]int) (m Mix, err error) {
	total := 0
	for _, s := range shares {
		total += s
	}
	if total == 0 {
		return m, fmt.Errorf("all shares are 0")
	}
	var given [clients]int
	for i := 1; i <= total; i++ {
		next, most := client(0), -1
		for who, s := range shares {
			if behind := s*i - given[who]*total; s > 0 && (most < 0 || behind > most) && given[who] < s {
				next, most = client(who), max(behind, 0)
			}
		}
		given[next]++
		m.cycle = append(m.cycle, next)
	}
	return m, nil
}

// of is the client that a node begins with.
func (m *Mix) of(node int) client {
	if len(m.cycle) == 0 {
		return edk2
	}
	return m.cycle[node%len(m.cycle)]
}
