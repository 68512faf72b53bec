"""Writes a daemon's journal, record by record (reconciler/io/journal/journal_read.h)."""
import struct

EVENT, ACTION, TEXT, MARK = 1, 2, 4, 5
NAME = "journal-00000000000000000001.rcj"


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checked(data):
    return data + struct.pack("<I", crc32c(data))


def write(folder, records, cut=0):
    """records: (type, text), from number 1 on; the last cut bytes are left out."""
    folder.mkdir(exist_ok=True)
    data = checked(b"RCJRNL1\n" + struct.pack("<IIQQq40sI", 1, 88, 1, 1, 0, b"test", 0))
    for number, (kind, text) in enumerate(records, 1):
        body = text.encode()
        data += checked(struct.pack("<IBQ", len(body), kind, number) + body)
    (folder / NAME).write_bytes(data[:len(data) - cut])
    return folder
