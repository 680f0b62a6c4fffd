// Package archive is the one reader and the one writer of archives in this
// module.
//
// [ReadTarGz] unpacks into memory, never to disk, and refuses whatever could
// mean different things to different readers: links, devices, paths that leave
// the archive, names that occur twice. It counts what it unpacks while it
// reads, so that a small archive that grows without end is stopped early.
//
// [WriteTarGz] gives equal bytes for equal files: times, owners, modes and the
// order in which a file system lists its files do not matter. The compressor
// is that of the Go release in use, which is not promised to stay the same
// between releases.
package archive
