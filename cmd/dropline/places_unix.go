//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// defaultDataDir is /var/lib/dropline for root, who runs it as a service, and XDG's place for anybody else.
func (a *app) defaultDataDir() string {
	if dir, ok := a.lookup("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "dropline")
	}
	if os.Geteuid() == 0 {
		return "/var/lib/dropline"
	}
	home, ok := a.lookup("HOME")
	if !ok || home == "" {
		return filepath.Join(os.TempDir(), fmt.Sprintf("dropline-%d", os.Geteuid()))
	}
	return filepath.Join(home, ".local", "share", "dropline")
}

func (a *app) usualConfigFile() string {
	if dir, ok := a.lookup("XDG_CONFIG_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "dropline", "config.yaml")
	}
	if home, ok := a.lookup("HOME"); ok && home != "" && os.Geteuid() != 0 {
		return filepath.Join(home, ".config", "dropline", "config.yaml")
	}
	return "/etc/dropline/config.yaml"
}

// stateDir is where this user's programs keep what outlives them.
func (a *app) stateDir() string {
	if dir, ok := a.lookup("XDG_STATE_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "dropline")
	}
	if home, ok := a.lookup("HOME"); ok && home != "" && os.Geteuid() != 0 {
		return filepath.Join(home, ".local", "state", "dropline")
	}
	return a.settings.text(keyDataDir)
}

// exposed says what to do about a file that others than its owner may read; "" where they may not.
func exposed(_ string, info fs.FileInfo) string {
	if info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 {
		return "chmod 600 it"
	}
	return ""
}

// namedFiles are the files that arguments name: the shell has put names in the place of patterns.
func namedFiles(arguments []string) ([]string, error) { return arguments, nil }
