package main

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// dataExtensions are those of text tables. In a directory that somebody names, other files (a licence, a spreadsheet) are
// left out; a file that is named itself is always taken.
func dataExtensions() []string {
	return []string{
		".csv", ".tsv", ".txt", ".tab", ".psv", ".dat",
		".gz", ".zst", ".bz2", ".xz", ".zip", ".xlsx", ".xlsm", ".pgp", ".gpg", ".asc",
	}
}

// dataFiles lists the files of a directory and of those below it, as slash-separated paths in it: those with data, and
// those left out. Hidden ones are neither: they would not count in an inbox.
func dataFiles(root string) (found, leftOut []string, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		hiddenName := strings.HasPrefix(d.Name(), ".") && path != root
		switch {
		case err != nil:
			return err
		case d.IsDir() && hiddenName:
			return filepath.SkipDir
		case d.IsDir() || hiddenName || !d.Type().IsRegular():
			return nil
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if below = filepath.ToSlash(below); slices.Contains(dataExtensions(), strings.ToLower(filepath.Ext(below))) {
			found = append(found, below)
		} else {
			leftOut = append(leftOut, below)
		}
		return nil
	})
	return found, leftOut, err
}
