"""What others have put into a run folder, or made of its files: told in words, and nothing is touched."""

import shutil

import pytest

from search.records import load_results
from trainables.errors import InputError


def test_a_copy_of_a_record_is_told_and_counted_nowhere(finished):
    file = next(file for file in finished.folder.record_files() if file.parent.name == "lora")
    copy = file.with_name("9999.json")
    shutil.copyfile(file, copy)
    trial = f"lora/{file.stem}"
    with pytest.raises(InputError, match=f"{copy} holds the record of {trial}, which belongs in {file}"):
        load_results(finished.root)
    copy.unlink()
    load_results(finished.root)


def test_a_record_under_another_trials_name_is_told(finished):
    first, second = [file for file in finished.folder.record_files() if file.parent.name == "lora"][:2]
    shutil.copyfile(first, second)
    with pytest.raises(InputError, match=f"{second} holds the record of lora/{first.stem}"):
        load_results(finished.root)
