module bootstorm

go 1.26.0

toolchain go1.26.10

require (
	charm.land/bubbletea/v2 v2.1.1 // the terminal view: a model that is a function of messages, as the core is, so that screens are tested as text
	charm.land/lipgloss/v2 v2.0.6 // its colours; the last version that Go 1.26.0 builds
	github.com/charmbracelet/x/ansi v0.11.9 // its widths of text: cut, fill and wrap by columns
	github.com/coreos/go-systemd/v22 v22.7.0 // readiness and watchdog (sd_notify), the Go binding of the CoreOS project
	github.com/elastic/go-seccomp-bpf v1.6.0 // assembles and loads the seccomp filter, for all threads; Elastic's, from its Beats
	github.com/fsnotify/fsnotify v1.10.1 // boot files that change on disk; the standard inotify binding
	github.com/google/gopacket v1.1.19 // second decoder in tests, and pcapgo for captures; never its cgo parts
	github.com/hbollon/go-edlib v1.7.0 // how alike two words are, for "did you mean": the distance that counts swapped letters, in configuration, flags and file names
	github.com/jedib0t/go-pretty/v6 v6.8.3 // tables and progress of bench and the demo
	github.com/landlock-lsm/go-landlock v0.11.0 // Landlock rules; the binding of the Landlock project
	github.com/mdlayher/ethernet v0.0.0-20190606142754-0394541c37b7 // second decoder in tests
	github.com/mdlayher/packet v1.2.0 // opens AF_PACKET sockets
	github.com/spf13/cobra v1.10.2 // commands, help, completion, man pages
	github.com/spf13/pflag v1.0.9 // cobra's flags
	go.uber.org/zap v1.28.0 // the daemon's log
	golang.org/x/mod v0.41.0 // semver: compares versions in tools/audit
	golang.org/x/net v0.62.0 // bpf: assembler for the kernel filters
	golang.org/x/perf v0.0.0-20260908200009-22c9c6c9d4da // benchmath: the statistics of benchstat, for bench compare
	golang.org/x/sys v0.49.0 // system calls that the standard library lacks
	golang.org/x/term v0.47.0 // is the output a terminal, and how wide
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // system calls on all threads, libcap's own; needs no cgo and bears it
)

require (
	github.com/charmbracelet/x/vt v0.1.0 // a terminal as an operator sees it, in tests of watch; of those who made bubbletea
	github.com/chromedp/cdproto v0.159.0 // the browser's protocol, for chromedp
	github.com/chromedp/chromedp v0.23.0 // drives Chromium in the tests of the page
	github.com/creack/pty v1.1.24 // gives watch a terminal, in tests; the usual pty binding
	github.com/prometheus/client_golang v1.25.0 // metrics; the official library
	github.com/prometheus/client_model v0.6.3 // metrics as tests read them
	github.com/prometheus/common v0.72.0 // reads what is exported, in tests
	go.yaml.in/yaml/v3 v3.0.5 // reads the alert rules, in tests
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/charmbracelet/colorprofile v0.4.3 // indirect
	github.com/charmbracelet/ultraviolet v0.0.0-20261008173134-6b8d4baf91b4 // indirect
	github.com/charmbracelet/x/exp/ordered v0.1.0 // indirect
	github.com/charmbracelet/x/term v0.2.2 // indirect
	github.com/charmbracelet/x/termios v0.1.1 // indirect
	github.com/charmbracelet/x/windows v0.2.2 // indirect
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/cpuguy83/go-md2man/v2 v2.0.6 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
	github.com/mdlayher/socket v0.7.0 // indirect
	github.com/muesli/cancelreader v0.2.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/xo/terminfo v1.0.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)

tool honnef.co/go/tools/cmd/staticcheck
