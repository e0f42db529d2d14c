"""Fourier transforms give complex numbers, or take them: their tests are in a file of their own."""

SAMPLES: list = []

TRANSFORMS = [
    f"fft.{name}{over}" for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft") for over in ("", "2", "n")
]

WITHOUT_SAMPLE = dict.fromkeys(
    [*TRANSFORMS, "fft.fftfreq", "fft.rfftfreq", "fft.fftshift", "fft.ifftshift", "stft", "istft"], "test_fourier.py"
)
