package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// isTerminal reports whether a file is a console that can move its cursor when told to by escape sequences. Consoles before
// Windows 10 cannot, and get lines as files do; later ones are asked to.
func isTerminal(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	const want = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return mode&want == want || windows.SetConsoleMode(console, mode|want) == nil
}

// terminalWidth is the number of characters that fit on a line; 80 where that cannot be known.
func terminalWidth(f *os.File) int {
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info) != nil {
		return usualWidth
	}
	width := int(info.Window.Right) - int(info.Window.Left) + 1
	if width < narrowest {
		return usualWidth
	}
	return width
}
