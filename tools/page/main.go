// Command page shows the page with a storm that never happened, to look at while
// working on it: "go run ./tools/page", then http://127.0.0.1:8067/.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"bootstorm/engine/view"
	"bootstorm/engine/view/rehearse"
)

func main() {
	address := flag.String("http", "127.0.0.1:8067", "address to serve on")
	nodes := flag.Int("nodes", 1000, "how many boot")
	age := flag.Duration("age", 45*time.Second, "how long ago the power came back")
	token := flag.String("token", "secret", "token of state changes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := play(ctx, rehearse.New(*nodes, time.Now().Add(-*age), true), *token)
	fmt.Printf("http://%s/  token: %s\n", l.Addr(), *token)
	go func() {
		<-ctx.Done()
		_ = s.Close()
	}()
	if err := s.Serve(l); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play makes a server of the storm as it goes on.
func play(ctx context.Context, storm *rehearse.Storm, token string) *http.Server {
	h := view.New(storm.Book, &rehearse.Engine{Hosts: storm.Hosts}, view.Options{Token: token, TokenPath: "/run/bootstorm/bond0/token"})
	storm.Observe = h.Observe
	h.Tell(storm.Play(time.Now()))
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case at := <-second.C:
				h.Tell(storm.Play(at))
				h.Tick()
			case <-ctx.Done():
				return
			}
		}
	}()
	return view.Server(h)
}
