"""Push an export to the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import httpx, validate_repo_id  # type: ignore[attr-defined]  # exported lazily

from trainables.errors import InputError


class Repository:
    """A repository of the hub, which is private where it is made anew.

    Raises:
        InputError: no name of a repository, or no token, so that nothing is exported in vain.
    """

    def __init__(self, name: str) -> None:
        try:
            validate_repo_id(name)
        except HFValidationError as error:
            raise InputError(f"--push-to-hub: {error}") from error
        if constants.HF_HUB_OFFLINE:
            raise InputError("--push-to-hub: HF_HUB_OFFLINE is set, and the hub is not asked. Unset it.")
        if get_token() is None:
            raise InputError(
                "--push-to-hub: there is no token of the hub. Set HF_TOKEN to one that may write "
                "(https://huggingface.co/settings/tokens), or log in with `hf auth login`."
            )
        self.name = name

    def push(self, folder: Path) -> str:
        """Upload a folder in one commit; return the address of the repository.

        Raises:
            InputError: the hub cannot be reached, or refuses.
        """
        api = HfApi()
        try:
            address = api.create_repo(self.name, private=True, exist_ok=True)
            api.upload_folder(repo_id=self.name, folder_path=folder, commit_message=f"Export {folder.name}")
        except (httpx.HTTPError, OSError, ValueError) as error:  # the last of a card that the hub refuses
            reason = " ".join(str(error).split())
            raise InputError(
                f"--push-to-hub: {self.name} was not pushed ({reason}). What was exported is in {folder}; "
                f"`hf upload {self.name} {folder}` tries again."
            ) from error
        return str(address)
