package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The roles of a process.
const (
	roleSFTP   = "sftp"
	roleAPI    = "api"
	roleWorker = "worker"
)

func optional(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

func checkRoles(s string) error {
	roles := strings.Split(s, ",")
	for i, role := range roles {
		role = strings.TrimSpace(role)
		switch role {
		case roleSFTP, roleAPI, roleWorker:
		default:
			return fmt.Errorf("%q is no role: they are sftp, api and worker, with commas between", role)
		}
		if slices.Contains(roles[:i], role) {
			return fmt.Errorf("%q is there twice", role)
		}
	}
	return nil
}

// checkListen takes host:port. The host must be there: leaving it out would listen on every interface unasked.
func checkListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("an address is host:port, such as 127.0.0.1:8022 (0.0.0.0:8022 for all interfaces)")
	}
	if host == "" {
		return errors.New("the host is missing: write 0.0.0.0 if all interfaces are meant")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is no port", port)
	}
	return nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("a URL such as https://etl.example.org is expected")
	}
	if u.User != nil {
		return errors.New("the URL must not hold a user or password")
	}
	return nil
}

func checkBool(s string) error {
	if s != "true" && s != "false" {
		return errors.New("true or false is expected")
	}
	return nil
}

func checkCount(most int64) func(string) error {
	return func(s string) error {
		if n, err := strconv.ParseInt(s, 10, 64); err != nil || n < 1 || n > most {
			return fmt.Errorf("a number from 1 to %d is expected", most)
		}
		return nil
	}
}

func checkDuration(low time.Duration) func(string) error {
	return func(s string) error {
		if d, err := time.ParseDuration(s); err != nil || d < low {
			return fmt.Errorf("a duration of at least %s is expected, such as 90s or 24h", low)
		}
		return nil
	}
}

func oneOf(words ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("one of %s is expected", strings.Join(words, ", "))
		}
		return nil
	}
}
