package config

import (
	"context"
	"net"
	"time"

	"bootstorm/proto"
)

// Time limits for looking up host names. The second one bounds a start while
// no name server answers: after it, names fail at once.
const (
	resolveEach = 2 * time.Second
	resolveAll  = 10 * time.Second
)

// resolver looks host names up once each. dhcpd asks again while it runs; here
// an address is fixed until the next reload, so that no packet waits for DNS.
type resolver struct {
	lookup func(string) ([]proto.Addr, error)
	known  map[string][]proto.Addr
	spent  time.Duration // on failed look-ups
}

func newResolver(lookup func(string) ([]proto.Addr, error)) *resolver {
	if lookup == nil {
		lookup = Resolve
	}
	return &resolver{lookup: lookup, known: map[string][]proto.Addr{}}
}

// addresses returns the IPv4 addresses of name, none if it has none.
func (r *resolver) addresses(name string) []proto.Addr {
	if a, ok := r.known[name]; ok {
		return a
	}
	var found []proto.Addr
	if r.spent < resolveAll {
		start := time.Now()
		a, err := r.lookup(name)
		if err != nil {
			r.spent += time.Since(start)
		} else {
			found = a
		}
	}
	r.known[name] = found
	return found
}

// Resolve asks the system's resolver for the IPv4 addresses of a name.
func Resolve(name string) ([]proto.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolveEach)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", name)
	if err != nil {
		return nil, err
	}
	var out []proto.Addr
	for _, ip := range ips {
		if v4 := ip.To4(); v4 != nil {
			out = append(out, proto.AddrFrom((*[4]byte)(v4)))
		}
	}
	return out, nil
}
