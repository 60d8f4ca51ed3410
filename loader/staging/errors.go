package staging

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// isNetwork reports whether err means that the connection to PostgreSQL was lost.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
