// Package keeper is the process beside the engine that keeps what the engine
// gives up when it has started: the right to open sockets that receive frames or
// hold ports below 1024, and the right to start a program. It does two things
// with them: it opens the sockets of the interfaces that were named at the start,
// when one of them comes back, and it starts the view, again whenever it ends. The
// engine, which hears the view, tells when it hangs; the keeper then ends it.
//
// The engine starts it (Start) before it gives up anything. They speak over a
// pair of sockets that keeps messages apart; descriptors travel in them
// (SCM_RIGHTS, unix(7)). It ends with the engine, and the view with it.
//
//	message.go  what is said, and how it is sent
//	client.go   the engine's side
//	process.go  the keeper itself
//	view.go     starting the view, again and again
package keeper
