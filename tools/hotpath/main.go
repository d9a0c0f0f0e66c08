// Command hotpath compares what the compiler says about the hot packages, which
// values it puts on the heap and which index it could not prove to be in bounds,
// with a reviewed list. A new one fails, with its place; so does one that is
// gone but still listed, since another could take its room unseen.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// hot are the packages that a frame passes through.
var hot = []string{"proto", "proto/dhcp", "proto/tftp", "engine/batch", "engine/capture", "engine/core", "engine/core/binding", "engine/core/limit",
	"engine/core/transfer", "engine/core/wheel", "engine/plan", "engine/link"}

const accept = `If it does not run per frame, mark its function: "PACKAGE FUNCTION cold" in %s.
If it does and is right, or was mended, take the new counts: go run ./tools/hotpath -update
`

func main() {
	update := flag.Bool("update", false, "take what is found into the list; functions marked cold stay so")
	root := flag.String("root", ".", "`folder` of the module")
	file := flag.String("list", "tools/hotpath/reviewed.txt", "the reviewed list, from the root")
	flag.Parse()
	wrong, err := run(*root, filepath.Join(*root, *file), hot, *update)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hotpath:", err)
		os.Exit(2)
	}
	if wrong > 0 {
		fmt.Printf(accept, *file)
		os.Exit(1)
	}
}

// run compares, or updates the list, and returns how many entries differ.
func run(root, file string, packages []string, update bool) (int, error) {
	found, err := inspect(root, packages)
	if err != nil {
		return 0, err
	}
	listed, err := readList(file)
	if err != nil && !(update && os.IsNotExist(err)) {
		return 0, err
	}
	if update {
		return 0, os.WriteFile(file, []byte(listed.updated(found).text()), 0o644)
	}
	differences := listed.compare(found)
	for _, d := range differences {
		fmt.Print(d)
	}
	if len(differences) > 0 && listed.compiler != compiler() {
		fmt.Printf("The list was made with %s, this is %s: some may come from the compiler.\n", listed.compiler, compiler())
	}
	escapes, bounds := found.totals(listed)
	fmt.Printf("%d hot packages: %d escapes and %d bounds checks in hot functions, %d entries differ from the reviewed list\n",
		len(packages), escapes, bounds, len(differences))
	return len(differences), nil
}
