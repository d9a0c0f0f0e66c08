// Package reason says why a file could not be had, for messages that name the file
// themselves and say what was tried.
package reason

import (
	"errors"
	"io/fs"
	"os"
)

// Of takes operation and path off an error: "open /x: no such file or directory" is
// "no such file or directory". Any other error comes back as it is.
func Of(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		return Of(path.Err)
	case errors.As(err, &link):
		return Of(link.Err)
	case errors.As(err, &call):
		return Of(call.Err)
	}
	return err
}
