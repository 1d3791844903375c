"""A hub with users whose servers start, fail, hang, die and stay, each as its name says."""

import asyncio
import os
import signal
import sys

from jupyterhub.spawner import SimpleLocalProcessSpawner

folder = os.environ["LAB_FOLDER"]
port, api, hub, service = os.environ["LAB_PORTS"].split()
base = "/base/"

c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}{base}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub}{base}"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.auth_token = os.environ["CONFIGPROXY_AUTH_TOKEN"]
c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {
    "probe", "owner", "slow", "refused", "late", "hang", "interrupted", "running", "idle", "idler", "mortal", "routed",
    "kept", "clinging",
}
c.JupyterHub.load_roles = [
    {
        "name": "checker",
        "services": ["checker"],
        "scopes": [
            "admin:users", "list:users", "tokens", "proxy", "read:hub", "read:metrics", "servers", "read:servers",
            "access:servers", "list:services", "read:services",
        ],
    },
    {
        "name": "starter",
        "services": ["starter"],
        "scopes": ["start:servers", "read:users", "read:servers", "access:servers"],
    },
]
c.JupyterHub.services = [
    {"name": "starter", "api_token": "token-that-stops-nothing-0123456789"},
    {"name": "checker", "api_token": "token-of-the-checker-0123456789"},
    {"name": "poor", "api_token": "token-without-scopes-0123456789"},
    {"name": "page", "url": f"http://127.0.0.1:{service}/"},
]
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 1, "slow_stop_timeout": 1}


class Spawner(SimpleLocalProcessSpawner):
    step = 0

    async def start(self):
        name = self.user.name
        if name == "refused":
            raise RuntimeError("there is no room")
        steps = {"slow": 20, "late": 20, "mortal": 15, "hang": 10_000, "interrupted": 10_000}.get(name, 0)
        for self.step in range(steps):
            await asyncio.sleep(0.1)
        if name == "late":
            raise RuntimeError("there was no room in the end")
        return await super().start()

    async def progress(self):
        told = None
        while True:
            if told != self.step:
                told = self.step
                yield {"progress": min(90, told), "message": f"step {told}"}
            await asyncio.sleep(0.1)

    async def stop(self, now=False):
        while self.user.name == "clinging" and not os.path.exists(f"{folder}/let-go"):
            await asyncio.sleep(0.1)
        await super().stop(now)


def die(spawner, event):
    """The server of `mortal` dies at the moment that it is ready."""
    if spawner.user.name == "mortal":
        os.kill(spawner.pid, signal.SIGKILL)
    return event


def small(spawner):
    """All but `probe` have a server that starts faster than a real one."""
    if spawner.user.name != "probe":
        spawner.cmd = [sys.executable, os.path.join(folder, "small.py")]
        spawner.args = []


c.JupyterHub.spawner_class = Spawner
c.Spawner.pre_spawn_hook = small
c.Spawner.progress_ready_hook = die
c.Spawner.cmd = [os.path.join(os.path.dirname(sys.executable), "jupyterhub-singleuser")]
c.Spawner.args = ["--allow-root"]
c.Spawner.http_timeout = 60
c.SimpleLocalProcessSpawner.home_dir_template = folder + "/home/{username}"
# Servers end with the group of the hub.
c.LocalProcessSpawner.popen_kwargs = {"start_new_session": False}
