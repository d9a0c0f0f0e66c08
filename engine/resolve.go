package engine

import (
	"bootstorm/engine/config"
	"bootstorm/proto"
)

// resolver looks up the host names of the configuration. When the process has
// given up sockets it can ask no name server any more, only /etc/hosts: a name
// that is found nowhere then keeps the addresses that it had before.
type resolver struct{ known map[string][]proto.Addr }

// addresses returns the addresses of a name.
func (r *resolver) addresses(name string) ([]proto.Addr, error) {
	found, err := config.Resolve(name)
	if err == nil {
		if r.known == nil {
			r.known = map[string][]proto.Addr{}
		}
		r.known[name] = found
		return found, nil
	}
	if before, ok := r.known[name]; ok {
		return before, nil
	}
	return nil, err
}
