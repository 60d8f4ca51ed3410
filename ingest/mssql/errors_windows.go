package mssql

import "golang.org/x/sys/windows"

// errnoRefused is the network's word for a port on which nothing listens. What package syscall names ECONNREFUSED is made up, and
// no error of Windows.
const errnoRefused = windows.WSAECONNREFUSED
