package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	main "dropline/cmd/dropline"
)

func TestPlacesOnWindows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment  map[string]string
		data, config string
	}{
		"a user's":    {environment: map[string]string{"LOCALAPPDATA": `C:\l`, "APPDATA": `C:\r`}, data: `C:\l\dropline`, config: `C:\r\dropline\config.yaml`},
		"a profile":   {environment: map[string]string{"USERPROFILE": `C:\u`}, data: `C:\u\AppData\Local\dropline`, config: `C:\u\AppData\Roaming\dropline\config.yaml`},
		"no absolute": {environment: map[string]string{"LOCALAPPDATA": `l`, "APPDATA": `r`}, data: filepath.Join(os.TempDir(), "dropline")},
	} {
		data, state, config, err := main.Places(c.environment)
		if err != nil || data != c.data || state != c.data || config != c.config {
			t.Errorf("%s: %s, %s, %s, %v", name, data, state, config, err)
		}
	}
}

func TestNamedFilesOnWindows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"Matters.csv", "MatterRates.csv", "Clients.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain := filepath.Join(dir, "none.csv") // it is missed where it is opened
	got, err := main.NamedFiles([]string{plain, filepath.Join(dir, "M*.csv")})
	if want := []string{plain, filepath.Join(dir, "MatterRates.csv"), filepath.Join(dir, "Matters.csv")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := main.NamedFiles([]string{filepath.Join(dir, "X*")}); main.ExitStatus(err) != 2 {
		t.Errorf("a pattern that fits nothing: %v", err)
	}
}

func TestExposedOnWindows(t *testing.T) {
	t.Parallel()
	const user = "(A;;FA;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)(A;;FA;;;BA)"
	for list, want := range map[string]bool{
		"D:P" + user: false, "D:P": false,
		"D:P" + user + "(A;;FR;;;BU)": true, "D:P" + user + "(A;;FR;;;AU)": true, "D:P" + user + "(A;;FA;;;WD)": true, "D:(A;;GR;;;WD)" + user: true,
		"D:P" + user + "(A;;WD;;;BU)":     false, // who may not read
		"D:P" + user + "(D;;FR;;;BU)":     false, // nor they
		"D:P" + user + "(A;OIIO;FR;;;BU)": false, // but other files
	} {
		sd, err := windows.SecurityDescriptorFromString(list)
		if err != nil {
			t.Fatal(err)
		}
		dacl, _, err := sd.DACL()
		if err != nil {
			t.Fatal(err)
		}
		if got := main.LetsAnybodyRead(dacl); got != want {
			t.Errorf("%s: %v", list, got)
		}
	}
	path := filepath.Join(t.TempDir(), "practice.txt")
	if err := os.WriteFile(path, []byte("Server=a;Password=x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, warned, err := main.ConnectionFile(path, nil); err != nil || text == "" || strings.Contains(warned, "Password") {
		t.Errorf("warned of %q, %v", warned, err)
	}
}
