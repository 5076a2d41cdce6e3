// The audio thread: it cuts what the microphone hears into pieces of 16-bit mono sound (see voice.js, Microphone).

const PIECE_MS = 60;

registerProcessor("recorder", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round((sampleRate * PIECE_MS) / 1000));
    this.filled = 0;
    this.isRecording = false;
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey(command) {
    this.isRecording = command === "record";
    if (this.isRecording) return;
    this.tell();
    this.port.postMessage({ flushed: true });
  }

  process([[samples]]) {
    if (!this.isRecording || !samples) return true;
    for (const sample of samples) {
      this.piece[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.filled === this.piece.length) this.tell();
    }
    return true;
  }

  tell() {
    const pcm = this.piece.slice(0, this.filled);
    const power = pcm.reduce((sum, sample) => sum + sample * sample, 0) / (pcm.length || 1);
    this.port.postMessage({ pcm: pcm.buffer, level: Math.sqrt(power) / 32768 }, [pcm.buffer]);
    this.filled = 0;
  }
});
