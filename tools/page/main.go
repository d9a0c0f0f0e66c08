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
	age := flag.Duration("age", 20*time.Second, "how long ago the power came back")
	token := flag.String("token", "secret", "token of state changes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := play(ctx, rehearse.New(*nodes, time.Now().Add(-*age)), *age, *token)
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

// play makes a server of the storm as it goes on. Its past of length age is told
// first.
func play(ctx context.Context, storm *rehearse.Storm, age time.Duration, token string) *http.Server {
	h := view.New(storm, &rehearse.Engine{}, view.Options{Token: token, TokenPath: "/run/bootstorm/bond0/token"})
	now := time.Now()
	for t := now.Add(-min(age+10*time.Second, 15*time.Minute)); t.Before(now); t = t.Add(time.Second) {
		storm.Tick(t)
		h.Tell(storm.Told(t.Add(-time.Second), t))
	}
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for last := now; ; {
			select {
			case at := <-second.C:
				storm.Tick(at)
				h.Tell(storm.Told(last, at))
				h.Tick()
				last = at
			case <-ctx.Done():
				return
			}
		}
	}()
	return view.Server(h)
}
