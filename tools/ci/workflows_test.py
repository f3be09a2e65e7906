#!/usr/bin/env python3
"""The workflows for other services are YAML of the expected shape, and name targets and files that are there."""

import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
try:
    import yaml
except ImportError:
    yaml = None

FOLDER = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def commands(name):
    """Every command line of the workflow `name`."""
    content = yaml.safe_load(read(name))
    if name == "github.yml":
        return [step["run"] for job in content["jobs"].values() for step in job["steps"] if "run" in step]
    lines = list(content["default"]["before_script"])
    for job in content.values():
        if isinstance(job, dict):
            lines += job.get("script", []) + job.get("after_script", [])
    return lines


@unittest.skipIf(yaml is None, "python3-yaml is not installed")
class WorkflowsTest(unittest.TestCase):
    def test_jobs_of_github(self):
        content = yaml.safe_load(read("github.yml"))
        # YAML 1.1 reads the key "on" as true.
        self.assertEqual(set(content), {"name", True, "jobs"})
        self.assertEqual(set(content["jobs"]), {"test", "reproduce", "tidy"})
        for job in content["jobs"].values():
            self.assertLessEqual(job["timeout-minutes"], 90)
            for step in job["steps"]:
                self.assertEqual(len({"run", "uses"} & set(step)), 1, step)

    def test_jobs_of_gitlab(self):
        content = yaml.safe_load(read("gitlab.yml"))
        self.assertEqual(set(content), {"image", "default", "test", "reproduce", "tidy"})
        for job in ("test", "reproduce", "tidy"):
            self.assertTrue(all(isinstance(line, str) for line in content[job]["script"]))

    def test_commands_name_what_is_there(self):
        for name in ("github.yml", "gitlab.yml"):
            lines = commands(name)
            self.assertTrue(any(".ci/run" in line for line in lines), name)
            self.assertTrue(any("//benchmarks:reproduce" in line for line in lines), name)
            for line in lines:
                for path in re.findall(r"(?<![\w/$])(?:\./)?((?:\.ci|tools|results)/[\w./]+)", line):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, path)), "%s: %s" % (name, path))
                for package, target in re.findall(r"//([a-z/_]+):([a-z_]+)", line):
                    with open(os.path.join(ROOT, package, "BUILD"), encoding="utf-8") as file:
                        self.assertIn('"%s"' % target, file.read(), name)


if __name__ == "__main__":
    unittest.main()
