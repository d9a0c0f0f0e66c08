// Package feed carries what the engine saw to the process that shows it. It is
// a stream of frames over a socket pair; the engine's side never waits: what the
// other does not take is counted and dropped.
//
// The way back carries requests (Request), which the engine's manager answers
// between its other work: mark a node for one boot, explain a reply, reload.
package feed
