// Package view shows what the engine saw: a JSON API, streams of events, metrics
// for Prometheus, health, and one page for a browser that needs nothing but this
// server. It runs in a process of its own without privileges, so that nobody who
// looks can slow the engine or bring it down.
//
// Whoever reaches the address may look; names by which it is reached are checked,
// so that no web site can look through an operator's browser (DNS rebinding).
// What changes something needs the bearer token of the run directory, or comes
// over the control socket (NewControl), which only root may open.
//
//	handler.go   the routes and what holds for all of them
//	guard.go     who may ask: host names, origins, the token
//	api.go       summary, nodes, history
//	frames.go    the last frames of a node, in words (package dissect)
//	events.go    server-sent events and the log as JSON lines
//	stuck.go     stuck nodes, grouped by reason
//	bars.go      a boot as bars of a waterfall
//	metrics.go   the same for Prometheus
//	page/        the page itself
package view
