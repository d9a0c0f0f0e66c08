package config

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
	maxAddresses = 1 << 20  // addresses in all pools together
	maxChain     = 1000     // links of an else-if chain
	maxWarnings  = 500      // warnings that are given
	maxErrors    = 50       // errors until the parser gives up
	maxRepeats   = 3        // findings of the same kind that are given one by one
)
