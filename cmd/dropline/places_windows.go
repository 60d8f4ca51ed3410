package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// defaultDataDir is %LOCALAPPDATA%\dropline, which only the user, SYSTEM and administrators get at. A place that all users share
// is none: a user of the machine could put a file there before the program does.
func (a *app) defaultDataDir() string {
	if dir, ok := a.lookup("LOCALAPPDATA"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "dropline")
	}
	if home, ok := a.lookup("USERPROFILE"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, "AppData", "Local", "dropline")
	}
	return filepath.Join(os.TempDir(), "dropline")
}

func (a *app) usualConfigFile() string {
	if dir, ok := a.lookup("APPDATA"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "dropline", "config.yaml")
	}
	if home, ok := a.lookup("USERPROFILE"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, "AppData", "Roaming", "dropline", "config.yaml")
	}
	return "" // is no file
}

// stateDir is where this user's programs keep what outlives them.
func (a *app) stateDir() string { return a.settings.text(keyDataDir) }

// exposed says what to do about a file that every user of the machine may read; "" where they may not. Modes tell nothing
// here; looked at is whether the file's list of access lets in Everyone, Authenticated Users or Users, as it does in most folders
// outside a user's profile. Others that it lets in, by name or by group, are not seen. Neither is what an entry denies again.
func exposed(path string, info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return ""
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return "" // as on a disk that knows no such lists, or where they may not be read
	}
	list, _, err := sd.DACL()
	if err == nil && (list == nil || letsAnybodyRead(list)) {
		// The number is SYSTEM, whose name is another in other languages.
		return `icacls "` + path + `" /inheritance:r /grant:r "%USERDOMAIN%\%USERNAME%:F" *S-1-5-18:F`
	}
	return ""
}

func letsAnybodyRead(list *windows.ACL) bool {
	const reading = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(list, i, &entry) != nil {
			continue
		}
		if entry.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || entry.Mask&reading == 0 {
			continue
		}
		who := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
		for _, all := range []windows.WELL_KNOWN_SID_TYPE{windows.WinWorldSid, windows.WinAuthenticatedUserSid, windows.WinBuiltinUsersSid} {
			if who.IsWellKnown(all) {
				return true
			}
		}
	}
	return false
}

// namedFiles are the files that arguments name, in order. No shell of Windows puts names in the place of patterns.
func namedFiles(arguments []string) ([]string, error) {
	var files []string
	for _, argument := range arguments {
		if !strings.ContainsAny(argument, "*?") {
			files = append(files, argument)
			continue
		}
		found, err := filepath.Glob(argument)
		if err != nil || len(found) == 0 {
			return nil, usageError("check the folder and the names", "no file is named like %s", argument)
		}
		files = append(files, found...)
	}
	return files, nil
}
