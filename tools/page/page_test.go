package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"bootstorm/engine/view/rehearse"
)

var update = flag.Bool("update", false, "make the screenshots of the README anew")

const token = "a-token-of-the-test"

// stormAge is how far the storm of the tests has come when the browser looks:
// some nodes are done, many on their way, some stuck.
const stormAge = 30 * time.Second

// browser is a Chromium that looks at a storm of 1,000 nodes, and what it had to
// complain about.
type browser struct {
	t      *testing.T
	ctx    context.Context
	url    string
	mu     sync.Mutex
	faults []string // console errors, exceptions, requests to strangers
}

// chromium is the browser's program; without it these tests cannot be.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", filepath.Join(os.Getenv("BOOTSTORM_DEPS"), "usr/bin/chromium")} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium: tools/deps.sh test installs it")
	return ""
}

// open starts the server and a browser with an empty profile that reaches
// nothing but it.
func open(t *testing.T, nodes int, age time.Duration) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("no-proxy-server", true))
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	server := httptest.NewUnstartedServer(nil)
	server.Config = play(ctx, rehearse.New(nodes, time.Now().Add(-age), true), token)
	server.Start()
	t.Cleanup(server.CloseClientConnections)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, url: server.URL}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, runtime.Enable, cdp.Empty{})
	call(b, log.Enable, cdp.Empty{})
	return b
}

// hear collects what no page of ours may do.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded: // what the browser itself says: violations of the policy, failed requests
		if strings.Contains(e.Entry.Text, "status of 401") { // asked for without the token
			return
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.faults = append(b.faults, "browser: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		b.faults = append(b.faults, fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value))
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, b.url+"/") {
			b.faults = append(b.faults, "request to "+e.Request.URL)
		}
	}
}

// run does something in the browser.
func (b *browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page complained of %q", err, b.complaints())
	}
}

// call runs one command of the browser's protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], p P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, p)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// value evaluates JavaScript.
func value[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.faults)
}

// see sets the size of the window, in CSS pixels, and the colours.
func (b *browser) see(width, height int64, scale float64, colours string) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale, Mobile: width < 600})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}})
}

// until waits for a condition in JavaScript.
func (b *browser) until(condition string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(20*time.Second), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		b.t.Fatalf("never true: %s (%v); complaints: %q; the page: %s", condition, err, b.complaints(), value[string](b, `location.hash + " " + document.body.innerText.slice(0, 1500)`))
	}
}

// shot writes a picture of the window's width and of height CSS pixels.
func (b *browser) shot(path string, height float64) {
	b.t.Helper()
	width, yes := value[float64](b, `window.innerWidth`), true
	r := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, Clip: &page.Viewport{Width: width, Height: height, Scale: 1}})
	if err := os.WriteFile(path, r.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// loaded waits for the overview to be complete.
func (b *browser) loaded() {
	b.t.Helper()
	b.until(`document.querySelectorAll("#rows .row").length > 0 && document.querySelector("#live").dataset.state === "live" && document.querySelectorAll("#chart path").length > 2`)
}

// What the page shows and what may be done with it, in one visit.
func TestPage(t *testing.T) {
	b := open(t, 1000, stormAge)
	b.see(1280, 900, 1, "light")
	b.run(chromedp.Navigate(b.url + "/"))
	b.loaded()
	b.until(`/^[\d,]+ of [\d,]+ nodes are stuck$/.test(document.querySelector("#headline").textContent)`)
	b.until(`document.querySelectorAll("#reasons li").length > 1 && document.querySelectorAll("#events li").length > 3`)

	was := value[string](b, `document.querySelector("#legend").textContent + document.querySelector("#about").textContent`)
	b.until(fmt.Sprintf(`document.querySelector("#legend").textContent + document.querySelector("#about").textContent !== %q`, was))

	if rows := value[int](b, `document.querySelectorAll("#rows .row").length`); rows != 50 {
		t.Errorf("%d rows: the page shows, and asks for, 50", rows)
	}
	value[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }))`)
	b.run(chromedp.KeyEvent("rack03"))
	b.until(`[...document.querySelectorAll("#rows b")].every((e) => e.textContent.startsWith("rack03")) && /of (3\d|40) nodes$/.test(document.querySelector("#where").textContent)`)
	b.run(chromedp.Click(chromedp.CSS(`#states [data-state=stuck]`)))
	b.until(`[...document.querySelectorAll("#rows .row")].every((e) => e.dataset.state === "stuck") && location.hash.includes("text=rack03") && location.hash.includes("state=stuck")`)
	b.run(chromedp.Reload())
	b.loaded()
	b.until(`document.querySelector("#filter").value === "rack03" && document.querySelectorAll("#rows .row").length < 5`)

	b.narrow("the overview")
	b.see(1280, 900, 1, "dark")
	// By keyboard alone to a node, and what is told of it.
	b.run(chromedp.Navigate(b.url + "/#/?text=rack03-node09"))
	b.until(`document.querySelectorAll("#rows .row").length === 1`)
	b.run(chromedp.Focus(chromedp.CSS(`#rows a`)), chromedp.KeyEvent("\r"))
	b.until(`document.querySelector("#node h1")?.textContent === "rack03-node09" && document.querySelectorAll("#node .steps li").length > 4`)
	b.until(`document.querySelector("#node .reason")?.textContent.includes("did you mean") && document.querySelector("#node pre")?.textContent.startsWith("DISCOVER of")`)
	if got := value[string](b, `fetch(document.querySelector("#capture").href).then((r) => r.status + " " + r.headers.get("Content-Disposition"))`); got != `200 attachment; filename="bootstorm-52-54-00-00-00-58.pcapng"` {
		t.Errorf("its frames: %s", got)
	}
	b.frames()
	b.narrow("a node's page")
	b.change()
	b.marked()
	for _, f := range b.complaints() {
		t.Error(f)
	}
}

// narrow checks that nothing is wider than a phone.
func (b *browser) narrow(what string) {
	b.t.Helper()
	b.see(360, 740, 2, "light")
	b.until(`innerWidth === 360`)
	if w := value[int](b, `document.documentElement.scrollWidth`); w > 360 {
		b.t.Errorf("%s is %d pixels wide on a phone of 360", what, w)
	}
}

// change tries to change something, with the wrong token and the right one.
func (b *browser) change() {
	b.t.Helper()
	if got := value[string](b, `fetch("control/reload", { method: "POST" }).then((r) => r.status + "")`); got != "401" {
		b.t.Errorf("POST without a token: %s", got)
	}
	b.run(chromedp.SendKeys(chromedp.CSS(`input[name=file]`), "rescue.ipxe"), chromedp.SendKeys(chromedp.CSS(`input[name=token]`), "wrong"), chromedp.Click(chromedp.CSS(`#node form .main`)))
	b.until(`document.querySelector("#node .said").textContent.includes("/run/bootstorm/bond0/token")`)
	b.run(chromedp.SetValue(chromedp.CSS(`input[name=token]`), token), chromedp.Click(chromedp.CSS(`#node form .main`)))
	b.until(`document.querySelector("#node .said").textContent === "Its next boot loads rescue.ipxe."`)
}

// frames looks at the list of a node's frames and opens one by keyboard.
func (b *browser) frames() {
	b.t.Helper()
	b.until(`document.querySelectorAll("#frames li").length === 12 && document.querySelector("#frames li b").textContent === "DISCOVER"`)
	if got := value[string](b, `document.querySelector("#frames li:nth-child(2) .says").textContent`); !strings.HasPrefix(got, `xid 5e4f0a29, gives 10.20.0.42, next server 10.20.0.1, server 10.20.0.1, file "ipxe.efi"`) || !strings.HasSuffix(got, "iPXE options: no-pxedhcp 1") {
		b.t.Errorf("the OFFER: %s", got)
	}
	b.run(chromedp.Focus(chromedp.CSS(`#frames li:nth-child(3) summary`)), chromedp.KeyEvent("\r"))
	b.until(`document.querySelector("#frames li:nth-child(3) details").open`)
	if got := value[string](b, `document.querySelector("#frames li:nth-child(3) dl").innerText`); !strings.Contains(got, "93 pxe-system-type\n7 (UEFI, 64 bits)") || !strings.Contains(got, "50 dhcp-requested-address\n10.20.0.42") {
		b.t.Errorf("the REQUEST in full: %s", got)
	}
}

// marked finds the order that was given in the overview, and takes it back there:
// with the token only.
func (b *browser) marked() {
	b.t.Helper()
	b.until(`document.querySelector("#node .ordered").textContent.startsWith("rescue.ipxe: waits for its next boot, since ")`)
	b.see(1280, 900, 1, "light")
	b.run(chromedp.Navigate(b.url + "/#/"))
	b.until(`document.querySelector("#boots-list a")?.textContent === "rack03-node09" && document.querySelector("#boots-list code").textContent === "rescue.ipxe"`)
	b.narrow("the list of orders")
	b.run(chromedp.Click(chromedp.CSS(`#boots-list button`)))
	b.until(`document.querySelector("#boots-said").textContent.includes("/run/bootstorm/bond0/token")`)
	b.run(chromedp.SetValue(chromedp.CSS(`#boots-token input`), token), chromedp.Click(chromedp.CSS(`#boots-list button`)))
	b.until(`document.querySelector("#boots").hidden`)
}

// A script that somebody managed to put into the page does not run.
func TestPolicyHolds(t *testing.T) {
	b := open(t, 20, time.Minute)
	b.run(chromedp.Navigate(b.url + "/"))
	b.loaded()
	got := value[string](b, `(() => {
		try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); return "markup from a string"; } catch (e) {}
		const s = document.createElement("script");
		try { s.textContent = "window.ran = true"; } catch (e) {}
		document.body.append(s);
		return window.ran ? "an inline script ran" : "refused";
	})()`)
	if got != "refused" {
		t.Error(got)
	}
	if f := b.complaints(); len(f) == 0 {
		t.Error("the browser did not complain of the attempt")
	}
}

// The pictures of the README are made by "make screenshots" only.
func TestScreenshots(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	b := open(t, 1000, stormAge)
	b.see(1280, 900, 1, "light")
	b.run(chromedp.Navigate(b.url + "/"))
	b.loaded()
	b.until(`document.querySelectorAll("#reasons li").length > 2`)
	b.shot("screenshots/overview.png", 1400)
	b.see(1280, 900, 1, "dark")
	b.shot("screenshots/overview-dark.png", 1400)
	b.see(390, 844, 1.5, "light")
	b.until(`innerWidth === 390 && document.querySelector("#chart svg").viewBox.baseVal.width < 390`)
	b.shot("screenshots/phone.png", 1100)
	b.see(1280, 900, 1, "light")
	b.run(chromedp.Navigate(b.url + "/#/node/rack03-node09"))
	b.until(`document.querySelectorAll("#node .steps li").length > 4 && document.querySelector("#node pre")?.textContent.startsWith("DISCOVER of")`)
	b.until(`document.querySelectorAll("#frames li").length === 12`)
	b.run(chromedp.Focus(chromedp.CSS(`#frames li:nth-child(3) summary`)), chromedp.KeyEvent("\r"))
	b.until(`document.querySelector("#frames li:nth-child(3) details").open`)
	value[int](b, `document.querySelector("#frames ol").scrollTop = 1`)
	b.shot("screenshots/node.png", 1660)
	for _, f := range b.complaints() {
		t.Error(f)
	}
}
