package sftpd

import (
	"io"
	"io/fs"
	"path"
	"time"

	"dropline/ingest"
)

// Permissions as clients see them. They say what works; setting them changes nothing.
const (
	modeInboxDir  = fs.ModeDir | 0o755
	modeInboxFile = fs.FileMode(0o644)
	modeOtherDir  = fs.ModeDir | 0o555
	modeOtherFile = fs.FileMode(0o444)
)

// owner is the user and group of everything, as numbers; their name is the tenant's.
const owner = 0

// fileInfo is an entry as pkg/sftp wants it. Its methods run on that library's goroutines, where a panic could not be
// caught: they only return fields.
type fileInfo struct {
	name    string
	size    int64
	mode    fs.FileMode
	modTime time.Time
}

// Name implements fs.FileInfo.
func (i fileInfo) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i fileInfo) Size() int64 { return i.size }

// Mode implements fs.FileInfo.
func (i fileInfo) Mode() fs.FileMode { return i.mode }

// ModTime implements fs.FileInfo.
func (i fileInfo) ModTime() time.Time { return i.modTime }

// IsDir implements fs.FileInfo.
func (i fileInfo) IsDir() bool { return i.mode.IsDir() }

// Sys implements fs.FileInfo.
func (i fileInfo) Sys() any { return nil }

// Uid implements, with Gid, sftp.FileInfoUidGid. OpenSSH's chown and chgrp ask for them before they set them, which does nothing.
func (i fileInfo) Uid() uint32 { return owner }

// Gid is as Uid.
func (i fileInfo) Gid() uint32 { return owner }

func infoOf(e ingest.Entry) fileInfo {
	info := fileInfo{name: path.Base(e.Path), size: e.Size, mode: modeOtherFile, modTime: e.ModTime}
	inbox := e.Path == ingest.Inbox || ingest.InInbox(e.Path)
	switch {
	case e.Kind == ingest.EntryDir && inbox:
		info.mode = modeInboxDir
	case e.Kind == ingest.EntryDir:
		info.mode = modeOtherDir
	case inbox:
		info.mode = modeInboxFile
	}
	return info
}

// single is the answer to a STAT.
type single struct{ info fileInfo }

// ListAt implements sftp.ListerAt.
func (l single) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset > 0 || len(to) == 0 {
		return 0, io.EOF
	}
	to[0] = l.info
	return 1, io.EOF
}
