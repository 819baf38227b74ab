// SPDX-License-Identifier: LGPL-2.1-or-later

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/ivfwriter"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

// What an Opus stream has, whatever is in it (RFC 7587 section 7).
const (
	opusRate     = 48000
	opusChannels = 2
)

type writer interface {
	WriteRTP(packet *rtp.Packet) error
	Close() error
}

// play sends the frames of an IVF file, each at its time, from when the connection is there. The file of a video
// has VP8 in it, that of audio Opus: to IVF it is all the same.
func (p *peer) play(path, mimeType string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	frames, header, err := ivfreader.NewWith(file)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(mimeType, "/")
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mimeType}, kind, "interop")
	if err != nil {
		return err
	}
	sender, err := p.connection.AddTrack(track)
	if err != nil {
		return err
	}
	go func() {
		// The interceptors see what comes back only if it is read.
		for buffer := make([]byte, 1500); ; {
			if _, _, err := sender.Read(buffer); err != nil {
				return
			}
		}
	}()
	duration := time.Second * time.Duration(header.TimebaseNumerator) / time.Duration(header.TimebaseDenominator)
	go func() {
		defer file.Close()
		<-p.connected
		for range time.Tick(duration) {
			frame, _, err := frames.ParseNextFrame()
			if errors.Is(err, io.EOF) {
				report("played", map[string]any{"media": kind})
				return
			}
			if err == nil {
				err = track.WriteSample(media.Sample{Data: frame, Duration: duration})
			}
			if err != nil {
				return
			}
		}
	}()
	return nil
}

// receive counts what a track brings, and keeps it in a file if there is a folder for such.
func (p *peer) receive(track *webrtc.TrackRemote) {
	defer p.receiving.Done()
	kind := track.Kind().String()
	report("track", map[string]any{"media": kind, "codec": track.Codec().MimeType})
	file, err := p.newWriter(track)
	if err != nil {
		fail(err)
	}
	for packets := 1; ; packets++ {
		packet, _, err := track.ReadRTP()
		if err != nil {
			break
		}
		if file != nil {
			if err := file.WriteRTP(packet); err != nil {
				report("failed", map[string]any{"type": kind, "error": err.Error()})
			}
		}
		if packets%50 == 0 {
			report("packets", map[string]any{"media": kind, "count": packets})
		}
	}
	if file != nil {
		file.Close()
	}
}

func (p *peer) newWriter(track *webrtc.TrackRemote) (writer, error) {
	switch {
	case p.folder == "":
		return nil, nil
	case track.Kind() == webrtc.RTPCodecTypeVideo:
		return ivfwriter.New(filepath.Join(p.folder, "video.ivf"), ivfwriter.WithCodec(track.Codec().MimeType))
	default:
		return oggwriter.New(filepath.Join(p.folder, "audio.ogg"), opusRate, opusChannels)
	}
}
