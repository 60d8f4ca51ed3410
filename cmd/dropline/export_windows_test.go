package main

import "golang.org/x/sys/windows"

// LetsAnybodyRead is letsAnybodyRead.
func LetsAnybodyRead(list *windows.ACL) bool { return letsAnybodyRead(list) }
