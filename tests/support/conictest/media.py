# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in a picture, in a sound, in a stream of numbered frames."""

import wave

import numpy as np

# What videotestsrc makes unless it is told otherwise, and how it is watched.
WIDTH, HEIGHT, RATE = 320, 240, 30
FRAME_BYTES = WIDTH * HEIGHT * 3
RGB = f"videoconvert ! video/x-raw,format=RGB,width={WIDTH},height={HEIGHT} ! fdsink fd={{fd}}"
# Encoded, a colour is a little off; a wrong bar is off by 255.
COLOUR_TOLERANCE = 40

# Colours of videotestsrc's `smpte` pattern: the seven bars of the upper two thirds, left to right.
SMPTE_BARS = [
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
]
# The narrow row below them.
SMPTE_ROW = [
    (0, 0, 255),
    (0, 0, 0),
    (255, 0, 255),
    (0, 0, 0),
    (0, 255, 255),
    (0, 0, 0),
    (255, 255, 255),
]

# A numbered frame: 16 bits as black and white blocks, two rows of eight.
COUNTER_WIDTH, COUNTER_HEIGHT, COUNTER_BITS = 160, 120, 16
COUNTER_PARSE = (
    f"rawvideoparse format=i420 width={COUNTER_WIDTH} height={COUNTER_HEIGHT} framerate={RATE}/1"
)
COUNTER_I420 = (
    f"videoconvert ! video/x-raw,format=I420,width={COUNTER_WIDTH},height={COUNTER_HEIGHT}"
    " ! fdsink sync=false fd={fd}"
)


def rgb(frame, width, height):
    """The bytes of an RGB frame as an array of height × width × 3."""
    stride = (width * 3 + 3) & ~3
    rows = np.frombuffer(frame, np.uint8).reshape(height, stride)
    return rows[:, : width * 3].reshape(height, width, 3)


def bar_colours(picture, top, bottom):
    """Mean colour of the middle of each of seven columns between two heights (fractions)."""
    height, width, _ = picture.shape
    band = picture[round(top * height) : round(bottom * height)]
    means = []
    for column in range(7):
        left, right = width * (column + 0.25) / 7, width * (column + 0.75) / 7
        means.append(tuple(band[:, round(left) : round(right)].mean(axis=(0, 1))))
    return means


def colour_error(found, wanted):
    """The largest difference of a channel between two lists of colours."""
    return float(np.abs(np.array(found, float) - np.array(wanted, float)).max())


def smpte_error(picture):
    """How far a picture is from the test bars: the largest difference of a channel, 0 to 255."""
    return max(
        colour_error(bar_colours(picture, 0.10, 0.60), SMPTE_BARS),
        colour_error(bar_colours(picture, 0.69, 0.73), SMPTE_ROW),
    )


def bars_error(frame):
    """The same of the bytes of an RGB frame of WIDTH × HEIGHT."""
    return smpte_error(rgb(frame, WIDTH, HEIGHT))


def brightest(picture):
    """Where the centre of what is bright lies: (x, y) in pixels, or None in a dark picture."""
    grey = picture.mean(axis=2)
    ys, xs = np.nonzero(grey > 128)
    return (float(xs.mean()), float(ys.mean())) if len(xs) else None


def write_counter_video(path, frames, start=0, noise=0):
    """Writes numbered I420 frames of COUNTER_WIDTH × COUNTER_HEIGHT, `start` and up.

    noise  how far their colours stray, which makes them large when they are encoded
    """
    random = np.random.default_rng(start)
    block_w, block_h = COUNTER_WIDTH // 8, COUNTER_HEIGHT // 2
    with open(path, "wb") as file:
        for number in range(start, start + frames):
            bits = np.array([(number >> bit) & 1 for bit in range(COUNTER_BITS)], np.uint8).reshape(
                2, 8
            )
            luma = np.kron(bits, np.ones((block_h, block_w), np.uint8)) * 219 + 16
            file.write(luma.astype(np.uint8).tobytes())
            chroma = random.integers(128 - noise, 129 + noise, COUNTER_WIDTH * COUNTER_HEIGHT // 2)
            file.write(chroma.astype(np.uint8).tobytes())


COUNTER_FRAME_BYTES = COUNTER_WIDTH * COUNTER_HEIGHT * 3 // 2


def read_counter(frame):
    """The number of an I420 frame, or None when a block is neither black nor white."""
    luma = np.frombuffer(frame, np.uint8)[: COUNTER_WIDTH * COUNTER_HEIGHT].reshape(
        COUNTER_HEIGHT, COUNTER_WIDTH
    )
    block_w, block_h = COUNTER_WIDTH // 8, COUNTER_HEIGHT // 2
    number = 0
    for bit in range(COUNTER_BITS):
        row, column = divmod(bit, 8)
        block = luma[
            row * block_h + block_h // 4 : (row + 1) * block_h - block_h // 4,
            column * block_w + block_w // 4 : (column + 1) * block_w - block_w // 4,
        ]
        mean = block.mean()
        if 90 < mean < 160:
            return None
        number |= int(mean >= 128) << bit
    return number


def missed(numbers):
    """The numbers left out between the first and the last of an ascending list."""
    return sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers)) if numbers else []


def write_tones(path, seconds, left, right, rate=48000, level=0.4):
    """Writes a WAV file of 16-bit stereo with a sine of its own in each channel (Hz)."""
    t = np.arange(int(seconds * rate)) / rate
    samples = np.stack([np.sin(2 * np.pi * left * t), np.sin(2 * np.pi * right * t)], axis=1)
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * level * 32767).astype("<i2").tobytes())


def loudest(samples, rate):
    """The frequency (Hz) with the most energy in one channel, and its share of all the energy."""
    windowed = samples * np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(windowed)) ** 2
    spectrum[:2] = 0
    peak = int(spectrum.argmax())
    share = spectrum[max(0, peak - 3) : peak + 4].sum() / max(spectrum.sum(), 1e-12)
    return peak * rate / len(samples), float(share)


def longest_silence(samples, rate, threshold):
    """The longest time (seconds) during which a channel stays below a threshold."""
    quiet = np.concatenate(([False], np.abs(samples) < threshold, [False]))
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    return float((edges[1::2] - edges[::2]).max() / rate) if len(edges) else 0.0
