package config

import (
	"fmt"
	"io"
	"os"
)

// Limits: everything an input can make large has one, with an error that names
// it. They are far above any real file (the largest known has 41,024 lines and
// 2,594 hosts).
const (
	maxToken     = 1499     // bytes of a word or string, dhcpd's own limit
	maxBytes     = 32 << 20 // bytes of all files together
	maxFiles     = 10000    // files read through include
	maxInclude   = 16       // files within files
	maxNesting   = 64       // braces within braces
	maxExprDepth = 1000     // operators and parentheses within each other
	maxHosts     = 1 << 20  // host declarations
	maxClasses   = 10000    // classes: every message is tried against each of them
	maxSubs      = 1 << 20  // subclasses of all classes together
	maxDefined   = 10000    // option definitions and option spaces
	maxNetworks  = 100000   // subnets, shared networks and pools
	maxAddresses = 1 << 20  // addresses in all pools together
	maxChain     = 1000     // links of an else-if chain
	maxWarnings  = 500      // warnings that are given
	maxErrors    = 50       // errors until the parser gives up
	maxRepeats   = 3        // findings of the same kind that are given one by one
)

// count counts one more thing of a kind, and fails at a token if there are too
// many.
func (p *parser) count(n *int, most int, what string, at *token) bool {
	if *n++; *n > most {
		return p.fail(at, fmt.Sprintf("more than %d %s", most, what), "split the network over several servers")
	}
	return true
}

// readFile reads a file as far as the limit goes: what is named may be a device
// that never ends.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}
