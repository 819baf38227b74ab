// SPDX-License-Identifier: LGPL-2.1-or-later

package main

import (
	"fmt"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// peer is one PeerConnection. Nothing but loopback and no STUN: the tests are for one machine.
type peer struct {
	signaling  *signaling
	connection *webrtc.PeerConnection
	connected  chan struct{}
	folder     string // for what comes, "" if it isn't kept
	receiving  sync.WaitGroup

	mutex    sync.Mutex
	targetID string
	pending  []webrtc.ICECandidateInit // came before the description
	channel  *webrtc.DataChannel
}

func newPeer(s *signaling) (*peer, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, interceptors); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings))
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}

	p := &peer{signaling: s, connection: connection, connected: make(chan struct{})}
	var once sync.Once
	connection.OnICECandidate(p.onOwnCandidate)
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		report("state", map[string]any{"state": state.String()})
		if state == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(p.connected) })
		}
	})
	connection.OnDataChannel(p.useChannel)
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		p.receiving.Add(1)
		p.receive(track)
	})
	return p, nil
}

func (p *peer) obey(c *command) error {
	switch c.Cmd {
	case "call":
		return p.call(c.To, c.Receive)
	case "send":
		p.mutex.Lock()
		channel := p.channel
		p.mutex.Unlock()
		if channel == nil {
			return fmt.Errorf("there is no channel to send on")
		}
		return channel.Send([]byte(c.Text))
	case "candidate":
		return p.signaling.send("candidate", candidate{FromID: p.signaling.id, ToID: c.To,
			Candidate: webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"}})
	case "leave":
		return p.signaling.send("unregister_request", registration{ClientID: p.signaling.id})
	default:
		return fmt.Errorf("there is no command %q", c.Cmd)
	}
}

// call offers. As in conic's programs the offer leaves when all candidates have, and has none of them in it.
func (p *peer) call(targetID string, receive []string) error {
	p.mutex.Lock()
	p.targetID = targetID
	p.mutex.Unlock()
	for _, kind := range receive {
		init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := p.connection.AddTransceiverFromKind(webrtc.NewRTPCodecType(kind), init); err != nil {
			return err
		}
	}
	channel, err := p.connection.CreateDataChannel("chat", nil)
	if err != nil {
		return err
	}
	p.useChannel(channel)
	offer, err := p.connection.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.connection)
	if err := p.connection.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	return p.signaling.send("sdp", description{FromID: p.signaling.id, ToID: targetID, SessionDescription: offer})
}

func (p *peer) useChannel(channel *webrtc.DataChannel) {
	p.mutex.Lock()
	p.channel = channel
	p.mutex.Unlock()
	channel.OnOpen(func() { report("open", map[string]any{"label": channel.Label()}) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		report("message", map[string]any{"text": string(m.Data), "is_text": m.IsString})
	})
}

func (p *peer) onOwnCandidate(own *webrtc.ICECandidate) {
	if own == nil {
		return
	}
	p.mutex.Lock()
	targetID := p.targetID
	p.mutex.Unlock()
	data := candidate{FromID: p.signaling.id, ToID: targetID, Candidate: own.ToJSON()}
	if err := p.signaling.send("candidate", data); err != nil {
		report("failed", map[string]any{"type": "candidate", "error": err.Error()})
	}
}

// onDescription takes an offer or an answer, then what candidates came before it. It learns whom to answer only
// then, as conic's programs do.
func (p *peer) onDescription(fromID string, remote webrtc.SessionDescription) error {
	if err := p.connection.SetRemoteDescription(remote); err != nil {
		return err
	}
	p.mutex.Lock()
	p.targetID = fromID
	pending := p.pending
	p.pending = nil
	p.mutex.Unlock()
	for _, early := range pending {
		if err := p.connection.AddICECandidate(early); err != nil {
			return err
		}
	}
	if remote.Type == webrtc.SDPTypeAnswer {
		return nil
	}

	answer, err := p.connection.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if err := p.connection.SetLocalDescription(answer); err != nil {
		return err
	}
	return p.signaling.send("sdp", description{FromID: p.signaling.id, ToID: fromID, SessionDescription: answer})
}

func (p *peer) onCandidate(remote webrtc.ICECandidateInit) error {
	if p.connection.RemoteDescription() == nil {
		p.mutex.Lock()
		p.pending = append(p.pending, remote)
		p.mutex.Unlock()
		return nil
	}
	return p.connection.AddICECandidate(remote)
}

func (p *peer) close() {
	p.connection.Close()
	p.receiving.Wait()
}
