// The vulnerability reports of the Go project as of the day in the version, for
// tools/audit. Data only; a file of its own, since its module wants other
// versions of what tools.mod has.
//	go get -modfile=tools/vulndb.mod golang.org/x/vulndb@latest
module bootstorm

go 1.26.0

require golang.org/x/vulndb v0.0.0-20261105234957-e22db6528018 // indirect
