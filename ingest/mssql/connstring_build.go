package mssql

import (
	"crypto/tls"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const longestTimeout = 60 * time.Second

// build makes fields of what was said, and refuses what does not go together.
func build(said map[field]given, local bool) (*fields, error) {
	f := &fields{local: local}
	steps := []func(map[field]given) error{
		f.buildServer, f.buildFailover, f.buildDatabase, f.buildTLS, f.buildRest, f.buildSignIn,
	}
	for _, step := range steps {
		if err := step(said); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *fields) buildServer(said map[field]given) error {
	g, named := said[fieldServer]
	if host, ok := said[fieldHost]; ok && !named {
		g, named = host, true
	}
	if !named {
		return fault("server", "no server is named")
	}
	e, err := parseServer(g.key, g.value, f.local)
	if err != nil {
		return err
	}
	if i, ok := said[fieldInstance]; ok && e.instance == "" {
		if e.instance, err = vetInstance(i.key, i.value); err != nil {
			return err
		}
	}
	if p, ok := said[fieldPort]; ok && e.port == 0 {
		if e.port, err = vetPort(p.key, p.value); err != nil {
			return err
		}
	}
	f.host, f.instance, f.port = e.host, e.instance, e.port
	return nil
}

func (f *fields) buildFailover(said map[field]given) error {
	g, ok := said[fieldFailover]
	if !ok {
		return nil
	}
	e, err := parseServer(g.key, g.value, f.local)
	if err != nil {
		return err
	}
	if p, ok := said[fieldFailoverPort]; ok && e.port == 0 {
		if e.port, err = vetPort(p.key, p.value); err != nil {
			return err
		}
	}
	if e.instance != "" && e.port == 0 {
		return fault(g.key, "give the partner as host,port")
	}
	f.failover = e
	return nil
}

func (f *fields) buildDatabase(said map[field]given) error {
	g, ok := said[fieldDatabase]
	if !ok {
		return fault("database", "no database is named")
	}
	if utf8.RuneCountInString(g.value) > 128 {
		return fault(g.key, "a database's name has at most 128 characters")
	}
	f.database = g.value
	return nil
}

func (f *fields) buildTLS(said map[field]given) error {
	var err error
	if g, ok := said[fieldEncrypt]; ok {
		if f.encrypt, err = parseEncrypt(g); err != nil {
			return err
		}
	}
	if g, ok := said[fieldTrust]; ok {
		if f.trust, err = parseBool(g.key, g.value); err != nil {
			return err
		}
	}
	if f.encrypt == encryptFromStart {
		f.trust = false // as in SqlClient: strict is strict
	}
	if g, ok := said[fieldHostInCert]; ok {
		name := strings.TrimPrefix(g.value, "*.")
		if _, err := vetHost(g.key, name, false); err != nil {
			return fault(g.key, "it is no host name")
		}
		f.hostInCert = strings.ToLower(name)
		if name != g.value {
			f.hostInCert = "x." + f.hostInCert // any name that *.name stands for
		}
	}
	f.certFile, f.caFile = said[fieldCertFile].value, said[fieldCAFile].value
	if g, ok := said[fieldTLSMin]; ok {
		versions := map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
		if f.tlsMin = versions[g.value]; f.tlsMin == 0 {
			return fault(g.key, "it is one of 1.0, 1.1, 1.2 and 1.3")
		}
	}
	return nil
}

func parseEncrypt(g given) (encryption, error) {
	switch strings.ToLower(g.value) {
	case "true", "yes", "mandatory", "1", "t":
		return encryptRequired, nil
	case "false", "no", "optional", "0", "f":
		return encryptSignIn, nil
	case "strict":
		return encryptFromStart, nil
	case "disable":
		return encryptNever, nil
	}
	return 0, fault(g.key, "it is one of True, Mandatory, False, Optional and Strict")
}

func (f *fields) buildRest(said map[field]given) error {
	var err error
	if g, ok := said[fieldTimeout]; ok {
		seconds, err := strconv.ParseUint(g.value, 10, 31)
		if err != nil {
			return fault(g.key, "it is a number of seconds")
		}
		f.timeout = min(time.Duration(seconds)*time.Second, longestTimeout)
		if seconds == 0 { // without limit, where that is allowed
			f.timeout = longestTimeout
		}
	}
	if g, ok := said[fieldMultiSubnet]; ok {
		if f.multiSubnet, err = parseBool(g.key, g.value); err != nil {
			return err
		}
	}
	if g, ok := said[fieldPacketSize]; ok {
		size, err := strconv.ParseUint(g.value, 10, 16)
		if err != nil || size < 512 || size > 32767 {
			return fault(g.key, "it is a number of bytes from 512 to 32767")
		}
		f.packetSize = uint16(size)
	}
	if g, ok := said[fieldWorkstation]; ok {
		if utf8.RuneCountInString(g.value) > 128 {
			return fault(g.key, "it has at most 128 characters")
		}
		f.workstation = g.value
	}
	return checkRest(said)
}

// checkRest refuses values of keys that change nothing unless they ask for what cannot be.
func checkRest(said map[field]given) error {
	if g, ok := said[fieldIntent]; ok && normal(g.value) != "readonly" && normal(g.value) != "readwrite" {
		return fault(g.key, "it is ReadOnly or ReadWrite; dropline only reads, and asks for ReadOnly in any case")
	}
	if g, ok := said[fieldProtocol]; ok && !strings.EqualFold(g.value, "tcp") {
		return fault(g.key, "only tcp can be used")
	}
	if g, ok := said[fieldLibrary]; ok && !strings.EqualFold(g.value, "dbmssocn") {
		return fault(g.key, "only TCP/IP, dbmssocn, can be used")
	}
	if g, ok := said[fieldColumnEncryption]; ok {
		switch strings.ToLower(g.value) {
		case "disabled", "false", "no", "0":
		default:
			return fault(g.key, "columns under Always Encrypted cannot be read in clear; leave it out, and give a view without them")
		}
	}
	return nil
}

func parseBool(key, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "yes", "1", "t", "enabled":
		return true, nil
	case "false", "no", "0", "f", "disabled":
		return false, nil
	}
	return false, fault(key, "it is True or False")
}
