// Package sftpd is Dropline's SSH server. It owns the SSH handshake and who may sign in, the bans of those who guess, the
// view of a tenant's tree that SFTP clients see, and the way of a client's packets into an ingest.Upload, in order and in
// bounded memory. What a file is and where its bytes lie is decided elsewhere: by ingest.Receiver, the ledger and the bucket.
//
// A session is a wire (wire.go) around an SSH channel. The wire takes all packets that concern a file on its way in (OPEN for
// writing, and WRITE, READ, FSTAT, FSETSTAT, CLOSE and fsync@openssh.com of such a handle: handle.go) straight to an upload,
// on one goroutine and in the order of their arrival; every other packet goes on to the RequestServer of github.com/pkg/sftp,
// whose handlers are in tree.go. That library would spread WRITE packets over eight goroutines, resolve FSTAT by path, commit
// under the lock of the session, and close files on a broken connection as on a CLOSE; here only a CLOSE packet commits.
//
// A panic in what this package does, or in the stores below it, ends the request that it is in and no more: the goroutines of
// pkg/sftp call nothing of ours that is not guarded. Of golang.org/x/crypto's own goroutines that cannot be said.
//
// What a client may rely on:
//
//   - CLOSE answers OK only once the file is durable and registered. fsync@openssh.com answers OK once all bytes before it
//     are with the store's writer; they become durable by CLOSE.
//   - OPEN with TRUNC, and OPEN of what does not exist, starts a new file. OPEN of a stored file without TRUNC is decided by
//     the first WRITE: at the offset of its end it resumes, at 0 it replaces the whole, or appends if APPEND was given.
//     CLOSE without a WRITE leaves the stored file as it was, and until a WRITE a handle that is open for both reads it.
//   - SETSTAT of the size 0 replaces a stored file by an empty one; any other change of a size is refused.
//   - Bytes may come in any order within a window. Bytes sent twice, or a gap left at CLOSE, refuse the file.
//   - A connection that breaks registers nothing. What came before the first gap is kept to be resumed.
package sftpd
