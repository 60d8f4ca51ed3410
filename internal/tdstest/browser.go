package tdstest

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

// The requests of the SQL Server Resolution Protocol: MC-SQLR 2.2.
const (
	browseAllBroadcast = 0x02
	browseAll          = 0x03
	browseOne          = 0x04
	browseAnswer       = 0x05
)

func (s *Server) startBrowser() error {
	var config net.ListenConfig
	conn, err := config.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.browser = conn
	s.wg.Add(1)
	go s.browse()
	return nil
}

// browse answers until the socket is closed.
func (s *Server) browse() {
	defer s.wg.Done()
	buf := make([]byte, 512)
	for {
		n, from, err := s.browser.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := s.browserAnswer(buf[:n]); answer != nil {
			_, _ = s.browser.WriteTo(answer, from)
		}
	}
}

// browserAnswer is nil where there is nothing to say: a request for another instance stays without an answer.
func (s *Server) browserAnswer(request []byte) []byte {
	if len(request) == 0 {
		return nil
	}
	switch request[0] {
	case browseAll, browseAllBroadcast:
	case browseOne:
		name := request[1:]
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		if !sameName(string(name), s.o.Instance) {
			return nil
		}
	default:
		return nil
	}
	text := fmt.Sprintf("ServerName;%s;InstanceName;%s;IsClustered;No;Version;16.0.1000.6;tcp;%d;;", serverName, s.o.Instance, s.Port())
	b := binary.LittleEndian.AppendUint16([]byte{browseAnswer}, uint16(len(text)))
	return append(b, text...)
}

// BrowserAddr is the UDP address of the SQL Browser; the zero value without one. Clients ask at port 1434, so a test
// dials this address instead.
func (s *Server) BrowserAddr() netip.AddrPort {
	if s.browser != nil {
		if a, ok := s.browser.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort()
		}
	}
	return netip.AddrPort{}
}
